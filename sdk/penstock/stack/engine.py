"""The port to an engine: what an orchestrator can do besides if its jobs go on without us.

Its `submit` returns a `Submitted`, and each ability is a protocol of its own: who lacks one cannot
be asked for it. What happened in a run is what its records say; an engine is asked for what no
record tells, and to act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from penstock.model import durations
from penstock.model.records import Status
from penstock.stack.orchestrator import Job


@dataclass(frozen=True, slots=True)
class Seen:
    """What an engine says of a job."""

    remote_id: str
    run: str
    """The run that it was submitted for, or `NEW`; empty if the engine does not say. A job is
    believed to be a run's only by this, or by the run's own record."""
    status: Status
    """`PENDING`, `RUNNING`, `COMPLETED`, `FAILED`, or `STOPPED` if somebody has ended it there."""
    word: str
    """The engine's own word for it, for example SUCCEEDED."""
    why: str = ""
    """Why it has ended like this or does not get on, in words, if the engine says so."""
    calls: Mapping[str, str] = field(default_factory=dict)
    """The same of single calls: those that failed there, or wait for something."""
    url: str | None = None
    """Its page."""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.status not in (Status.PENDING, Status.RUNNING)


@runtime_checkable
class Watches(Protocol):
    """Jobs go on by themselves once they are submitted, and the engine says how they are doing."""

    def seen(self, run: str, remote_id: str | None = None) -> Seen | None:
        """How the job of a run is doing; None if the engine has no such job. Without its id it is
        looked for by the run that it was submitted for.

        Raises `EngineError` if the engine does not answer, and `StackError` if it does not let one
        in or there is no engine.
        """


@runtime_checkable
class Cancels(Protocol):
    """The engine can end a job."""

    def cancel(self, remote_id: str) -> None:
        """Have a job ended. Nothing if it has ended, or is gone. Raises as `Watches.seen`."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a schedule fires: by `cron`, or `every` so many seconds."""

    cron: str = ""
    """Five fields: minute, hour, day of the month, month, day of the week; in UTC."""
    every: int = 0
    """Whole seconds."""

    def __str__(self) -> str:
        return f"{self.cron} UTC" if self.cron else f"every {durations.written(self.every)}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as its engine has it."""

    remote_id: str
    name: str
    timing: Timing
    is_active: bool
    """Whether it fires: it is not paused."""
    mark: str = ""
    """What was given with it: who has made it knows it again by that."""
    url: str | None = None
    """Its page."""


@runtime_checkable
class Schedules(Protocol):
    """The engine starts a job again and again. Each firing is a run of its own (`NEW`).

    Each of them raises as `Watches.seen`; what is asked of a schedule that is gone, `NotFound`.
    """

    def schedule(self, job: Job, name: str, timing: Timing, *, at_once: int, mark: str) -> Schedule:
        """Have a job started by the clock, at most `at_once` of them at a time. If the engine has
        a schedule of this name and mark already, that one comes back, and nothing is made.

        Raises `NameTaken` if it has one of this name without the mark, and `EngineUnsure` if it is
        not known whether it has one now.
        """

    def schedules(self) -> Sequence[Schedule]:
        """All that the engine has where the orchestrator's runs belong."""

    def pause_schedule(self, remote_id: str) -> None:
        """Let it fire no more, for now."""

    def resume_schedule(self, remote_id: str) -> None:
        """Let it fire again."""

    def delete_schedule(self, remote_id: str) -> None:
        """Take it away; what it has started goes on. Nothing if it is gone."""
