"""Engines: who is asked how a run is doing that goes on elsewhere, and how often."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from penstock.errors import PenstockError, StackError
from penstock.model.records import RunRecord
from penstock.runtime.aside import Aside
from penstock.runtime.runid import PATTERN
from penstock.stack.engine import Seen, Watches
from penstock.stack.orchestrator import Orchestrator
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack

FIRST: Final = 1.0
EVERY: Final = 10.0
"""Seconds between two questions: the first two, and what they grow to."""

SOONEST: Final = 3.0
"""The same if the records look as if the run were over."""

LONGEST: Final = 60.0
"""What they grow to while there is no answer."""

QUICK: Final = 0.2
"""Seconds in which most engines answer: then that counts at once."""

_log: Final = logging.getLogger("penstock.engines")


class Engine:
    """The one that has the job of a run. It is asked aside: one that is slow keeps nobody waiting.

    Not to answer is no news of the run; it is said once, and once that it answers again.
    """

    def __init__(
        self, orchestrator: Orchestrator, record: RunRecord, note: Callable[[str], None]
    ) -> None:
        """`note` tells the user something."""
        self.name = orchestrator.name
        self.answers = False
        """Whether it has answered the last question."""
        self.seen: Seen | None = None
        """What it has said last; None if it had no such job, or was not heard yet."""
        self._said: Seen | None = None
        self._own: str | None = None
        """The id of the job that is the run's."""
        self._strangers: dict[str, str] = {}
        """What is to be said of jobs that were taken for the run's, by their ids."""
        self._told: set[str] = set()
        """Those of which it was said."""
        self.missed = 0
        """How often in a row it had no such job."""
        self._about: str | None = None
        """The id that was asked for last."""
        self.asked = 0
        """How many questions there were."""
        self._orchestrator = orchestrator
        self._record = record
        self._note = note
        self._asking: Aside | None = None
        self._asked_at = -LONGEST
        self._pause = FIRST
        self._is_silent = False

    @property
    def is_over(self) -> bool:
        """Whether it says that nothing of the job runs any more."""
        return self.seen is not None and self.seen.is_over

    @property
    def is_silent(self) -> bool:
        """Whether it does not answer, and that was said."""
        return self._is_silent

    def believed(self, remote_id: str | None) -> str | None:
        """The id of the job; that which was written down, unless that is of another run's."""
        return self._own if remote_id in self._strangers else remote_id

    def look(self, remote_id: str | None, *, soon: bool = False) -> None:
        """Ask if it is time for that, or hear what has come of it. Nothing that is over changes."""
        pause = min(self._pause, SOONEST) if soon and self.answers else self._pause
        if self._asking is None and not self.is_over and self._since >= pause:
            self._ask(remote_id)
        try:
            self._hear(QUICK if self._since < QUICK else 0)
        except PenstockError as error:
            self._pause = min(max(2 * self._pause, EVERY), LONGEST)
            if not self._is_silent:
                self._is_silent = True
                self._note(f"{error.message} The run is watched by its records meanwhile.")
        else:
            if self.answers and self._is_silent:
                self._is_silent = False
                self._note(f"{self.name} answers again")

    def look_again(self, remote_id: str | None, seconds: float) -> None:
        """Ask once more, and wait so long for the answer; without a word if there is none."""
        if not self.answers or self.is_over:
            return
        if self._asking is None:
            self._ask(remote_id)
        with suppress(PenstockError):
            self._hear(seconds)

    @property
    def _since(self) -> float:
        return time.monotonic() - self._asked_at

    def _ask(self, remote_id: str | None) -> None:
        if remote_id != self._about:  # that it was not found by the run says nothing of the job
            self._about, self.missed = remote_id, 0
        self.asked += 1
        self._asked_at = time.monotonic()
        self._asking = Aside(partial(self._answer, remote_id))

    def _answer(self, remote_id: str | None) -> None:
        self._said = _own(self._orchestrator, self._record, remote_id, self._strangers)

    def _hear(self, seconds: float) -> None:
        """Take the answer if it comes in this time. Raises what the orchestrator has raised."""
        if self._asking is None:
            return
        try:
            if not self._asking.wait(seconds):
                return
        except BaseException:
            self._asking, self.answers = None, False
            raise
        self._asking, self.answers = None, True
        self._pause = min(2 * self._pause, EVERY)
        self.seen = self._said
        self._own = self.seen.remote_id if self.seen is not None else self._own
        for job in self._strangers.keys() - self._told:
            self._told.add(job)
            self._note(self._strangers[job])
        self.missed = 0 if self.seen is not None else self.missed + 1


def job(orchestrator: Orchestrator, record: RunRecord, remote_id: str | None) -> Seen | None:
    """The job of a run as its engine has it: the one of this id if it is the run's, else the one
    that was submitted for the run. Raises as `Watches.seen`."""
    strangers: dict[str, str] = {}
    found = _own(orchestrator, record, remote_id, strangers)
    for said in strangers.values():
        _log.warning(said)
    return found


def _own(
    orchestrator: Orchestrator, record: RunRecord, remote_id: str | None, strangers: dict[str, str]
) -> Seen | None:
    """The same. Which job a run was submitted as lies where others may write: the engine has to say
    so, too, or the run's own record. What is another run's is put to the `strangers`."""
    watches: object = orchestrator
    assert isinstance(watches, Watches)
    found = watches.seen(record.run, remote_id)
    if found is not None and _is_of(found, record):
        return found
    if found is not None:
        strangers[found.remote_id] = _of_another(orchestrator.name, found)
    if remote_id is None or remote_id == record.job:
        return None
    by_run = _own(orchestrator, record, None, strangers)
    if found is None and by_run is not None:
        said = f"{orchestrator.name} has no job {remote_id!r}, which this run is said to be"
        strangers[remote_id] = said
    return by_run


def _of_another(name: str, seen: Seen) -> str:
    whose = f"for run {seen.run}" if PATTERN.fullmatch(seen.run) else "for something else"
    return f"{name}'s job {seen.remote_id} is not this run's: it was submitted {whose}"


def _is_of(seen: Seen, record: RunRecord) -> bool:
    return seen.run == record.run or (bool(record.job) and seen.remote_id == record.job)


def find(registry: Registry, active: Callable[[], Stack], record: RunRecord) -> Orchestrator | None:
    """The orchestrator that can be asked about a run: that of its own stack, or else of the active
    one, if it is of the same flavor."""
    for stack in (partial(registry.stack, record.stack, "asked for"), active):
        try:
            found = stack().orchestrator
        except StackError:  # it is not there any more, or cannot be made here: the next one may do
            continue
        if found.flavor == record.orchestrator and isinstance(found, Watches):
            return found
    return None
