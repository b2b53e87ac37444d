"""The seal of a run: how it ended, written down once, and in the time that is left for that."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Final

from penstock.errors import StoreUnavailable
from penstock.model.records import Status
from penstock.runtime.aside import Aside
from penstock.runtime.executor import Executor
from penstock.runtime.ledger import Ledger, step_key
from penstock.runtime.notation import End
from penstock.runtime.signals import in_place
from penstock.runtime.stopping import CTRL_C, Stopped, Terminated

LAST: Final = 9.0
"""Seconds that a run which is stopped has for its last records, all of them."""

RESERVE: Final = 2.0
"""Seconds of these that are kept for the seal itself: before it comes what is on its way."""

SLICE: Final = 0.1
"""Seconds between two looks at whether the run is to stop."""


class Seal:
    """Of one run, and put on it by whoever ends it first."""

    def __init__(self, run: str, ledger: Ledger, executor: Executor) -> None:
        self._run = run
        self._ledger = ledger
        self._executor = executor
        self._stop = executor.stop
        self._lock = threading.Lock()
        self.status: Status | None = None
        """How the run ended, once that is written down."""
        self.lost: Collection[str] = ()
        """The keys of what was not written before it."""
        self.is_late = False
        """Whether the store has not taken it in time: then it is not asked again."""

    def finish(self, status: Status) -> Status:
        """Seal a run that nothing has ended before its time. Raises `Stopped` if something has, or
        the first error of what was to be written meanwhile."""
        self._ledger.store.flush()
        with in_place.deferred():  # wholly, or a signal would take a finished run for stopped
            status = self.put(status)
        if status is Status.STOPPED and self._stop.requested:
            raise Stopped
        return status

    def put(self, status: Status, error: BaseException | None = None) -> Status:
        """Write down how the run ended. The first time counts, and is what comes back."""
        with self._lock:
            if self.is_late:
                raise self._unanswered
            if self.status is None:
                why, begin = self._why(status, error), time.monotonic()
                left = min(self._left(status, begin), LAST)
                self.lost = self._ledger.store.conclude(left - RESERVE)
                write = partial(self._write, status, why)
                if self._ledger.store.distant:
                    self._in_time(write, status, begin)
                else:
                    write()
                self.status = status
            return self.status

    def _left(self, status: Status, begin: float) -> float:
        """Seconds that are left for ending with this status, which began then."""
        if self._stop.requested:  # a step may have taken its time: that is not the store's fault
            end = max(self._stop.at + LAST, begin + 2 * RESERVE)
        else:
            end = begin + LAST if status is Status.STOPPED else math.inf
        return end - time.monotonic()

    def _in_time(self, write: Callable[[], None], status: Status, begin: float) -> None:
        """Do it in a thread of its own, which is left alone when the time is up: a store that does
        not answer keeps nobody who has said that it is enough."""
        writing = Aside(write)
        while not writing.wait(SLICE):
            if self._left(status, begin) <= 0:
                self.is_late = True
                raise self._unanswered

    @property
    def _unanswered(self) -> StoreUnavailable:
        name = self._ledger.store.name
        return StoreUnavailable(f"The artifact store {name!r} has not answered in time.")

    def _write(self, status: Status, why: str) -> None:
        if status is Status.STOPPED:
            self._executor.abandon(why)
        written = dict(self._executor.digests).items()
        digests = {call: of for call, of in written if step_key(self._run, call) not in self.lost}
        now = time.time()
        self._ledger.end(End(self._run, status, now, digests, why, self._keys(digests)))

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
        if self._stop.requested:
            return self._stop.why
        if isinstance(error, KeyboardInterrupt):
            return CTRL_C
        if error is None or isinstance(error, Terminated):
            return str(error or "")
        return f"{type(error).__qualname__}: {error}".splitlines()[0].removesuffix(": ")
