"""The port for orchestrators: they decide when and where a step runs, never how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from penstock.model.component import StackComponent
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import StepRun


class Job(Protocol):
    """What an orchestrator is given: a plan to walk and two ways to run a call of it."""

    @property
    def plan(self) -> Plan: ...

    @property
    def pending(self) -> Sequence[str]:
        """Calls still to run, in an order in which they can; the hits are taken out."""

    def execute(self, call_id: str) -> StepRun:
        """Run this call here and now, in this process. A step that fails is a record, no error."""

    def command(self, call_id: str) -> Sequence[str]:
        """The command line that runs this call in any other process."""

    def record(self, call_id: str) -> StepRun | None:
        """What the store says happened: the truth, whatever the engine claims."""


class Observer(Protocol):
    """Is told what happens, by whoever carries out a run. Calls may come from several threads."""

    def step_started(self, call: Call) -> None: ...
    def step_finished(self, run: StepRun) -> None: ...
    def note(self, message: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Submitted:
    """What an engine elsewhere says of a job that it has taken."""

    remote_id: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Orchestrator(StackComponent, ABC):
    """Walks a job's pending calls."""

    category: ClassVar[str] = "orchestrator"
    elsewhere: ClassVar[bool] = False
    """Whether steps run on other machines: then the code is uploaded first, and a store that the
    other side cannot reach is refused."""

    reserves_resources: ClassVar[bool] = False
    """Whether a step starts only when what its `Resources` ask for is free."""
    settings: ClassVar[Collection[str]] = ()
    """The settings that steps and pipelines may give under this flavor's name."""

    @abstractmethod
    def submit(self, job: Job, observer: Observer) -> Submitted | None:
        """Carry the job out, or hand it to an engine and say where it is."""
