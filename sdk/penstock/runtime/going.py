"""A run that goes on in this process: its signs of life, and how it is brought to its end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from penstock.errors import StoreError
from penstock.model.records import Status
from penstock.runtime import terminal
from penstock.runtime.capturing import capture
from penstock.runtime.executor import Executor
from penstock.runtime.flusher import flusher
from penstock.runtime.ledger import Ledger, step_key
from penstock.runtime.notation import End
from penstock.runtime.pulse import Work
from penstock.runtime.signals import in_place
from penstock.runtime.status import BEAT
from penstock.runtime.stopping import CTRL_C, Stopped, Terminated

LAST: Final = 10.0
"""Seconds that a run which is stopped has for what is on its way to its store."""


class Going:
    """One run, from its first record to its seal."""

    def __init__(self, run: str, ledger: Ledger, executor: Executor) -> None:
        self._run = run
        self._ledger = ledger
        self._executor = executor
        self.stop = executor.stop
        self.work = Work(self.stop, self._look, self._abandon)
        """What the pulse looks after."""
        self._lock = threading.Lock()
        self._sealed: Status | None = None
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
            if self._sealed is None:
                why = self._why(status, error)
                lost = self._ledger.store.conclude(LAST)
                if status is Status.STOPPED:
                    self._executor.abandon(why)
                written = dict(self._executor.digests).items()
                digests = {
                    call: of for call, of in written if step_key(self._run, call) not in lost
                }
                now = time.time()
                self._ledger.end(End(self._run, status, now, digests, why, self._keys(digests)))
                self._sealed = status
            return self._sealed

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

    def _abandon(self) -> None:
        """Seal the run in the place of whoever carries it out, who does not come back in time."""
        if self._sealed is not None:
            return
        left = list(self._executor.running)
        try:
            self.seal(Status.STOPPED)
            flusher.flush()
        except StoreError as error:
            _say(f"Run {self._run} could not be written down as stopped: {error}")
        else:
            steps = f": waiting for {', '.join(left)}" if left else ""
            _say(f"Run {self._run} is written down as stopped ({self.stop.why}){steps}")


def _say(line: str) -> None:
    """On the real stderr: this is said about steps, not by them."""
    with suppress(OSError, ValueError, AttributeError):
        terminal.write(f"{line}\n", capture.beside(sys.stderr))
