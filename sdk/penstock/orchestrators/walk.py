"""A walk over the calls of a job: in the caller's thread, and in others where that is worth it.

A step that has computed large outputs gives up its place while it writes them: another begins, in
another thread. What depends on it waits until they are written.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from penstock.artifacts.source import Writing
from penstock.lazy import lazy
from penstock.model.graph import Call
from penstock.model.records import StepRun
from penstock.runtime.stopping import Stopped
from penstock.stack.orchestrator import Job

if TYPE_CHECKING:
    from penstock.orchestrators import flight
else:
    flight = lazy("penstock.orchestrators.flight")  # only for large outputs

LONG: Final = 0.002
"""Seconds that a step must take before another thread is set to work beside it."""

AGAIN: Final = 0.5
"""Seconds after which a thread that waits for others sees whether it is to stop."""


class Ready(Protocol):
    """Calls that wait for nothing but their turn."""

    def __len__(self) -> int:
        """0 if none of them can start now."""

    def append(self, call: str, /) -> None: ...
    def expect(self, calls: Sequence[Call]) -> None:
        """They are items of a map, and were not known before."""

    def popleft(self) -> str: ...
    def clear(self) -> None: ...
    def give_back(self, call: str) -> None:
        """It has ended."""


class Execute(Protocol):
    """How a call is carried out, as in `Job`."""

    def __call__(self, call_id: str, /, *, writing: Writing) -> StepRun: ...


class InTurn(deque[str]):
    """Where nobody asks for resources, the first can always start."""

    def expect(self, calls: Sequence[Call]) -> None:
        """They ask for nothing."""

    def give_back(self, call: str) -> None:
        """Nothing was taken."""


class Walk:
    """The state of one walk over a job's pending calls."""

    def __init__(
        self,
        job: Job,
        workers: int,
        ready: Ready,
        execute: Execute,
        *,
        limit: Callable[[], int],
        stop: bool,
        eager: bool = False,
    ) -> None:
        """`limit` finds out how many bytes calls may write while others have their places.
        `eager`: a thread only waits for a step that runs elsewhere, so it is always worth one.
        """
        self._execute = execute
        self._expand = job.expand
        self._maps = {id for id in job.pending if job.plan.graph.calls[id].over}
        """Calls that may become many."""
        self._stop = stop
        self._has_failed = False
        """Whether a step has, where that is the end."""
        self._eager = eager
        self._most = workers - 1
        calls = job.plan.graph.calls
        pending = set(job.pending)
        self._waiting = {id: len(calls[id].upstream & pending) for id in job.pending}
        self._below: dict[str, list[str]] = {}
        for id in job.pending:
            for up in calls[id].upstream & pending:
                self._below.setdefault(up, []).append(id)
        self._ready = ready
        for id, count in self._waiting.items():
            if not count:
                ready.append(id)
        self._running = 0
        self._limit = limit
        self._flight: flight.Flight | None = None
        self._given_up = 0
        """Places that calls have given up while they write."""
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._for_caller = threading.Condition(self._lock)
        self._for_helpers = threading.Condition(self._lock)
        self._helpers: list[threading.Thread] = []
        self._watching = 0
        self._asleep = 0
        self._caller_since = 0.0
        self._usual = 0.0

    @property
    def is_stopping(self) -> bool:
        """Whether helpers still carry out steps of a walk that is over."""
        with self._lock:
            return self.error is not None and self._running > 0

    def stop(self, error: BaseException) -> None:
        """Start nothing more; `join` raises the first such error, and rather what has stopped the
        run than what others felt of that."""
        with self._lock:
            if self.error is None or isinstance(self.error, Stopped):
                self.error = error
            self._ready.clear()
            self._below.clear()
            self._for_caller.notify_all()
            self._for_helpers.notify_all()

    def join(self) -> None:
        """Wait for the helpers, and raise what was no step's own failure.

        When the run is to end they are struck by whoever looks after it, who strikes this thread,
        too, if they do not come back in time: then they are left alone.
        """
        try:
            for helper in self._helpers:
                while helper.is_alive():
                    helper.join(AGAIN)  # a wait without an end would be out of the reach of a stop
        except BaseException as error:
            self.stop(error)
        if self.error is not None:
            raise self.error

    def next_for_caller(self) -> str | None:
        """The next call; waits while helpers are at work that may lead to one."""
        with self._lock:
            self._caller_since = 0.0
            while self.error is None and (self._is_full if self._ready else self._running):
                self._for_caller.wait(AGAIN)
            if not self._ready:
                self._for_helpers.notify_all()
                return None
            call = self._take()
            self._caller_since = time.perf_counter()
            return call

    def _help(self) -> None:
        """A helper's life: see now and then whether steps take long, and take one if so."""
        while (call := self._next_for_helper()) is not None:
            self.execute(call)

    def _next_for_helper(self) -> str | None:
        with self._lock:
            self._watching += 1
            while (self._ready or self._running) and self.error is None:
                if not self._ready or self._is_full:
                    self._asleep += 1
                    self._for_helpers.wait()
                    self._asleep -= 1
                elif self._is_worth_it():
                    break
                else:
                    self._for_helpers.wait(LONG)
            self._watching -= 1  # before `_take`, which looks for somebody else who watches
            return self._take() if self._ready else None

    def _is_worth_it(self) -> bool:
        """Whether the caller's thread is busy, with steps that take their time."""
        if self._eager:
            return True
        since = self._caller_since
        if since <= 0:
            return False
        slow = self._given_up > 0 or self._usual > LONG / 2
        return slow or time.perf_counter() - since > LONG

    @property
    def _is_full(self) -> bool:
        """Whether no place among the workers is free."""
        return self._running - self._given_up > self._most

    def _take(self) -> str:
        """A ready call; if more are ready, a helper watches whether it is needed."""
        call = self._ready.popleft()
        self._running += 1
        if self._ready and not self._is_full:
            self._call_for_help()
        return call

    def _call_for_help(self) -> None:
        if self._asleep:
            self._for_helpers.notify()
        elif not self._watching and len(self._helpers) < self._most + self._given_up:
            helper = threading.Thread(target=self._help, name="penstock-worker", daemon=True)
            self._helpers.append(helper)
            # It may be a step that calls for help here, whose context is not the helper's.
            contextvars.Context().run(helper.start)

    def _writing(self, call: str, size: int) -> None:
        """A call writes an output of so many bytes; while it does, another may begin."""
        with self._lock:
            if self._flight is None:
                self._flight = flight.Flight(self._limit())
            self._flight.writes(call, size)
            self._given_up = len(self._flight)
            if self._ready and not self._is_full:
                self._for_caller.notify()
                self._call_for_help()

    def _fan_out(self, call: str, items: Sequence[Call]) -> None:
        """The items of a map can begin; the map itself once more, when they are done."""
        if self.error is not None or self._has_failed:  # nothing more is to start
            return
        self._ready.expect(items)
        self._waiting[call] = len(items)
        for item in items:
            self._below[item.id] = [call]
            self._ready.append(item.id)
        if not self._is_full:
            self._call_for_help()

    def execute(self, call: str) -> None:
        """Run a call and make ready what waited for it."""
        begin = time.perf_counter()
        items: Sequence[Call] = ()
        usable = False
        try:
            if call in self._maps:
                self._maps.discard(call)
                items = self._expand(call)
            if not items:
                usable = self._execute(call, writing=partial(self._writing, call)).usable
        except BaseException as error:  # Ctrl-C, or a defect of ours
            self.stop(error)
        took = time.perf_counter() - begin
        with self._lock:
            # Several that only wait for Python's lock take several times as long as one alone:
            # that must not look as if they were worth their threads.
            took /= self._running
            self._running -= 1
            if self._flight is not None:
                self._flight.ends(call)
                self._given_up = len(self._flight)
            self._ready.give_back(call)
            self._usual = 0.8 * self._usual + 0.2 * took
            if items:
                self._fan_out(call, items)
            elif usable:
                for down in self._below.get(call, ()):
                    self._waiting[down] -= 1
                    if not self._waiting[down]:
                        self._ready.append(down)
            elif self._stop:
                self._has_failed = True
                self._ready.clear()
                self._below.clear()
            if self._helpers:
                self._for_caller.notify()
                if not self._ready and not self._running:
                    self._for_helpers.notify_all()
