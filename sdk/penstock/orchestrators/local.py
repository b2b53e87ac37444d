"""The local orchestrator: in this process, independent steps side by side.

A chain runs in the caller's thread, so that `breakpoint()`, coverage and `pdb` work. Other threads
are set to work only when steps take long enough to be worth it: handing a step of microseconds to
a thread costs more than the step.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from penstock.errors import BadConfiguration
from penstock.stack.orchestrator import Job, Observer, Orchestrator

LONG: Final = 0.002
"""Seconds that a step must take before another thread is set to work beside it."""


@dataclass(frozen=True, kw_only=True)
class LocalOrchestrator(Orchestrator):
    """Runs steps in the process that runs the pipeline."""

    flavor: ClassVar[str] = "local"

    max_workers: int | None = None
    """Steps that run at once; by default one for each core, and at least four."""
    failure: Literal["stop", "finish"] = "stop"
    """When a step fails: start no other step, or finish all that do not depend on it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_workers is not None and self.max_workers < 1:
            raise BadConfiguration(
                f"Orchestrator {self.name!r}: max_workers={self.max_workers}, but at least one "
                "worker is needed."
            )

    def submit(self, job: Job, observer: Observer) -> None:
        workers = self.max_workers or max(4, os.cpu_count() or 1)
        walk = _Walk(job, workers, stop=self.failure == "stop")
        try:
            while (call := walk.next_for_caller()) is not None:
                walk.execute(call)
        except BaseException as error:  # Ctrl-C while nothing runs in this thread
            walk.stop(error)
        if walk.is_stopping and isinstance(walk.error, KeyboardInterrupt):
            observer.note("waiting for the steps that run now; Ctrl-C once more leaves them alone")
        walk.join()


class _Walk:
    """The state of one walk over a job's pending calls."""

    def __init__(self, job: Job, workers: int, *, stop: bool) -> None:
        self._job = job
        self._stop = stop
        self._most = workers - 1
        calls = job.plan.graph.calls
        pending = set(job.pending)
        self._waiting = {id: len(calls[id].upstream & pending) for id in job.pending}
        self._below: dict[str, list[str]] = {}
        for id in job.pending:
            for up in calls[id].upstream & pending:
                self._below.setdefault(up, []).append(id)
        self._ready = deque(id for id, count in self._waiting.items() if not count)
        self._running = 0
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
        """Start nothing more; `join` raises the first such error."""
        with self._lock:
            self.error = self.error or error
            self._ready.clear()
            self._below.clear()
            self._for_caller.notify_all()
            self._for_helpers.notify_all()

    def join(self) -> None:
        """Wait for the helpers, and raise what was no step's own failure."""
        for helper in self._helpers:
            helper.join()
        if self.error is not None:
            raise self.error

    def next_for_caller(self) -> str | None:
        """The next call; waits while helpers are at work that may lead to one."""
        with self._lock:
            self._caller_since = 0.0
            while not self._ready and self._running and self.error is None:
                self._for_caller.wait()
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
                if not self._ready:
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
        since = self._caller_since
        return since > 0 and (self._usual > LONG / 2 or time.perf_counter() - since > LONG)

    def _take(self) -> str:
        """A ready call; if more are ready, a helper watches whether it is needed."""
        call = self._ready.popleft()
        self._running += 1
        if self._ready:
            if self._asleep:
                self._for_helpers.notify()
            elif not self._watching and len(self._helpers) < self._most:
                helper = threading.Thread(target=self._help, name="penstock-worker", daemon=True)
                self._helpers.append(helper)
                helper.start()
        return call

    def execute(self, call: str) -> None:
        """Run a call and make ready what waited for it."""
        begin = time.perf_counter()
        try:
            usable = self._job.execute(call).usable
        except BaseException as error:  # Ctrl-C, or a defect of ours
            self.stop(error)
            usable = False
        took = time.perf_counter() - begin
        with self._lock:
            self._running -= 1
            self._usual = 0.8 * self._usual + 0.2 * took
            if usable:
                for down in self._below.get(call, ()):
                    self._waiting[down] -= 1
                    if not self._waiting[down]:
                        self._ready.append(down)
            elif self._stop:
                self._ready.clear()
                self._below.clear()
            if self._helpers:
                self._for_caller.notify()
                if not self._ready and not self._running:
                    self._for_helpers.notify_all()
