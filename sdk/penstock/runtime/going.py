"""A run that goes on in this process: its signs of life, and how it is brought to its end."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Final

from penstock.errors import StoreError, StoreUnavailable, listed
from penstock.model.records import Status
from penstock.runtime import logs, terminal
from penstock.runtime.aside import Aside
from penstock.runtime.capturing import capture
from penstock.runtime.executor import Executor
from penstock.runtime.flusher import flusher
from penstock.runtime.ledger import Ledger, step_key
from penstock.runtime.notation import End
from penstock.runtime.pulse import Work
from penstock.runtime.signals import in_place
from penstock.runtime.status import BEAT
from penstock.runtime.stopping import CTRL_C, Stopped, Terminated

LAST: Final = 9.0
"""Seconds that a run which is stopped has for its last records, all of them."""

SEAL: Final = 2.0
"""Seconds of these that are kept for the end itself: before it comes what is on its way."""

SLICE: Final = 0.1
"""Seconds between two looks at whether the run is to stop."""

SILENT: Final = 10.0
"""Seconds after which it is said that the store does not answer."""


class Going:
    """One run, from its first record to its seal."""

    def __init__(
        self, run: str, ledger: Ledger, executor: Executor, note: Callable[[str], None]
    ) -> None:
        """`note` tells the user something."""
        self._run = run
        self._ledger = ledger
        self._executor = executor
        self._note = note
        self.stop = executor.stop
        self.work = Work(self.stop, self._look, self._abandon, self._waits)
        """What the pulse looks after."""
        self._lock = threading.Lock()
        self._sealed: Status | None = None
        self._lost: Collection[str] = ()
        """What was not written."""
        self._is_late = False
        """Whether the store has not taken the end in time: then it is not asked again."""
        self._is_silent = self._has_told = False
        self._told: Collection[str] = ()
        self._beat_at = time.monotonic()

    def sealed(self, status: Status) -> Status:
        """Seal a run that nothing has ended before its time. Raises `Stopped` if something has, or
        the first error of what was to be written meanwhile."""
        self._ledger.store.flush()
        with in_place.deferred():  # wholly, or a signal would take a finished run for stopped
            status = self.seal(status)
        if status is Status.STOPPED and self.stop.requested:
            raise Stopped
        return status

    def seal(self, status: Status, error: BaseException | None = None) -> Status:
        """Write down how the run ended. The first time counts, and is what comes back."""
        with self._lock:
            if self._is_late:
                raise self._unanswered
            if self._sealed is None:
                why, begin = self._why(status, error), time.monotonic()
                left = min(self._left(status, begin), LAST)
                self._lost = self._ledger.store.conclude(left - SEAL)
                write = partial(self._write, status, why)
                if self._ledger.store.distant:
                    self._in_time(write, status, begin)
                else:
                    write()
                self._sealed = status
            return self._sealed

    def _left(self, status: Status, begin: float) -> float:
        """Seconds that are left for ending with this status, which began then."""
        if self.stop.requested:  # a step may have taken its time: that is not the store's fault
            end = max(self.stop.at + LAST, begin + 2 * SEAL)
        else:
            end = begin + LAST if status is Status.STOPPED else math.inf
        return end - time.monotonic()

    def _in_time(self, write: Callable[[], None], status: Status, begin: float) -> None:
        """Do it in a thread of its own, which is left alone when the time is up: a store that does
        not answer keeps nobody who has said that it is enough."""
        writing = Aside(write)
        while not writing.wait(SLICE):
            if self._left(status, begin) <= 0:
                self._is_late = True
                raise self._unanswered

    @property
    def _unanswered(self) -> StoreUnavailable:
        name = self._ledger.store.name
        return StoreUnavailable(f"The artifact store {name!r} has not answered in time.")

    def _write(self, status: Status, why: str) -> None:
        if status is Status.STOPPED:
            self._executor.abandon(why)
        written = dict(self._executor.digests).items()
        digests = {call: of for call, of in written if step_key(self._run, call) not in self._lost}
        now = time.time()
        self._ledger.end(End(self._run, status, now, digests, why, self._keys(digests)))

    def tell(self, error: BaseException | None = None) -> None:
        """Say, once, what nobody will find in the store though it was done; mostly nothing. Who
        reads this error is told enough."""
        log = logs.unwritten.pop(self._run, None)
        if self._has_told or isinstance(error, StoreError):
            return
        name, missing = self._ledger.store.name, self._missing()
        self._has_told = bool(missing)
        if missing:
            said = " and ".join(missing)
            self._note(f"not written down: {said}; the artifact store {name!r} did not take it")
        elif log is not None:
            logs.warn(log)

    def _missing(self) -> list[str]:
        """What was done and is not written down, in words."""
        done = list(self._executor.digests)
        steps = [call for call in done if step_key(self._run, call) in self._lost]
        many = f"{len(steps):,} finished step{'s' * (len(steps) > 1)} ({listed(steps)})"
        return [many] * bool(steps) + ["the end of the run"] * (self._sealed is None)

    def _keys(self, steps: Collection[str]) -> dict[str, str]:
        """Where the cache has what these steps gave, for the next run of the pipeline."""
        if not self._ledger.store.distant:
            return {}
        plan, results = self._executor.plan, self._executor.results
        known = plan.graph.calls.keys() & results.keys() & set(steps) - plan.uncached
        return {call: key for call in sorted(known) if (key := results[call].key)}

    def _why(self, status: Status, error: BaseException | None) -> str:
        """What stopped the run, in words."""
        if status is not Status.STOPPED:
            return ""
        if self.stop.requested:
            return self.stop.why
        if isinstance(error, KeyboardInterrupt):
            return CTRL_C
        if error is None or isinstance(error, Terminated):
            return str(error or "")
        return f"{type(error).__qualname__}: {error}".splitlines()[0].removesuffix(": ")

    def _look(self) -> None:
        """See whether somebody wants the run to end, and give a sign of life now and then."""
        # A store that cannot be reached now may be there at the next look.
        with suppress(StoreError):
            if (by := self._ledger.cancelled(self._run)) is not None:
                self.stop.request(by, cancelled=True)
            running = dict(self._executor.running)
            now = time.monotonic()
            if running.keys() != self._told or now - self._beat_at >= BEAT:
                self._ledger.beat(self._run, running)
                self._told, self._beat_at = set(running), now
            self._is_silent = False

    def _waits(self, seconds: float) -> None:
        """A look takes this long already."""
        if seconds >= SILENT and not self._is_silent:
            self._is_silent = True  # until it has answered again
            name = self._ledger.store.name
            self._note(f"waiting for the artifact store {name!r}: no answer for {seconds:.0f} s")

    def _abandon(self) -> None:
        """Seal the run in the place of whoever carries it out, who does not come back in time."""
        if self._sealed is not None:
            return
        left = list(self._executor.running)
        try:
            self.seal(Status.STOPPED)
            Aside(flusher.flush).wait(SEAL)
        except StoreError as error:
            if self._is_late:
                self.tell()
                return
            _say(f"Run {self._run} could not be written down as stopped: {error}")
        else:
            steps = f": waiting for {', '.join(left)}" if left else ""
            _say(f"Run {self._run} is written down as stopped ({self.stop.why}){steps}")


def _say(line: str) -> None:
    """On the real stderr: this is said about steps, not by them."""
    with suppress(OSError, ValueError, AttributeError):
        terminal.write(f"{line}\n", capture.beside(sys.stderr))
