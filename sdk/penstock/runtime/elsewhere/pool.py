"""A pool of workers: processes that carry out the steps of one run, each one after the other."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Final

from penstock.artifacts.source import Writing, unnoticed
from penstock.errors import CannotRun, LostStep
from penstock.model.records import StepRun
from penstock.runtime import secrets
from penstock.runtime.elsewhere import briefing
from penstock.runtime.elsewhere.handed import Handed, Whole
from penstock.runtime.elsewhere.worker import Worker
from penstock.stack.orchestrator import Job
from penstock.stack.project import Project

END: Final = 5.0
"""Seconds that the workers have to end when the run is over."""


class Pool:
    """A job whose calls are carried out by workers. As a context: they are started when there is
    work for them, and end with it."""

    def __init__(self, job: Whole, most: int) -> None:
        """`most` workers at once."""
        self.plan = job.plan
        self.pending = job.pending
        self.command = job.command
        self.ending = job.ending
        self.expand = job.expand
        self.environment = job.environment
        self.record = job.record
        self._job = job
        self._most = most
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._briefing = -1

    def __enter__(self) -> Pool:
        """Start as many as there are steps that can begin. Raises `CannotRun` if none can run."""
        pending = set(self._job.pending)
        calls = [self._job.plan.graph.calls[call] for call in self._job.pending]
        first = [
            call
            for call in calls
            if call.step.options.step_operator is None and not call.upstream & pending
        ]
        job = self._job
        root = Project.find().root
        self._briefing = briefing.written(job.plan, job.stack, job.keys, root)
        try:
            for _ in first[: self._most]:
                self._give_back(self._started(secrets.outside()))
            if self._idle:
                self._idle[0].wait_until_ready()
        except BaseException as error:
            self._end_at_once()
            if isinstance(error, LostStep):
                raise CannotRun(f"No worker process can be started. {error.message}") from error
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            for worker in self._idle:
                worker.dismiss()
            until = time.monotonic() + END
            for worker in self._idle:
                worker.end(max(until - time.monotonic(), 0))
        finally:
            self._end_at_once()

    def execute(
        self,
        call_id: str,
        *,
        environment: Mapping[str, str] | None = None,
        writing: Writing = unnoticed,
        by: Callable[[Job, str], None] | None = None,
    ) -> StepRun:
        """In a worker; with `environment` in one for this call alone."""
        by = by or partial(self._carry_out, environment or {})
        return self._job.execute(call_id, environment=environment, writing=writing, by=by)

    def _carry_out(self, own: Mapping[str, str], job: Job, call_id: str) -> None:
        assert isinstance(job, Handed)
        environment = {**secrets.outside(), **own}
        worker = self._started(environment) if own else self._taken(environment)
        try:
            worker.carry_out(job.order(call_id), environment)
            if own:
                worker.end(END)
        finally:
            self._give_back(worker)

    def _taken(self, environment: Mapping[str, str]) -> Worker:
        """A worker that nobody else has."""
        with self._lock:
            for worker in [each for each in self._idle if not each.is_alive]:
                self._idle.remove(worker)
                worker.end(0)
            if self._idle:
                worker = next((each for each in self._idle if each.is_ready()), self._idle[-1])
                self._idle.remove(worker)
                self._busy.add(worker)
                return worker
        return self._started(environment)

    def _started(self, environment: Mapping[str, str]) -> Worker:
        worker = Worker(self._briefing, environment, self._job.secrets.mask)
        with self._lock:
            self._busy.add(worker)
        return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            if worker.is_alive:
                self._idle.append(worker)

    def _end_at_once(self) -> None:
        for worker in self._idle:
            worker.end(0)
        for worker in tuple(self._busy):  # whoever waits for it does not come back in time
            worker.kill()
        os.close(self._briefing)
