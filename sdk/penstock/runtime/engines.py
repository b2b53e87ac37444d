"""Engines: who is asked how a run is doing that goes on elsewhere, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from penstock.errors import PenstockError, StackError
from penstock.model.records import RunRecord
from penstock.runtime.aside import Aside
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


class Engine:
    """The one that has the job of a run. It is asked aside: one that is slow keeps nobody waiting.

    Not to answer is no news of the run; it is said once, and once that it answers again.
    """

    def __init__(self, orchestrator: Orchestrator, run: str, note: Callable[[str], None]) -> None:
        """`note` tells the user something."""
        self.name = orchestrator.name
        self.answers = False
        """Whether it has answered the last question."""
        self.seen: Seen | None = None
        """What it has said last; None if it had no such job, or was not heard yet."""
        self._said: Seen | None = None
        self.missed = 0
        """How often in a row it had no such job."""
        self._about: str | None = None
        """The id that was asked for last."""
        self.asked = 0
        """How many questions there were."""
        watches: object = orchestrator
        assert isinstance(watches, Watches)
        self._orchestrator = watches
        self._run = run
        self._note = note
        self._asking: Aside | None = None
        self._asked_at = -LONGEST
        self._pause = FIRST
        self._is_silent = False

    @property
    def is_over(self) -> bool:
        """Whether it says that nothing of the job runs any more."""
        return self.seen is not None and self.seen.is_over

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
        self._said = self._orchestrator.seen(self._run, remote_id)

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
        self.missed = 0 if self.seen is not None else self.missed + 1


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
