"""An orchestrator and an observer that write down what they are asked and told."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from penstock.model.graph import Call
from penstock.model.records import Status, StepRun
from penstock.stack.orchestrator import Job, Observer, Orchestrator


@dataclass(frozen=True, slots=True)
class Recorded:
    """A job that was submitted, and what came of it."""

    job: Job
    pending: tuple[str, ...]
    """The calls that were to be run, as they were asked for."""
    runs: list[StepRun] = field(default_factory=list)
    """What was run, in its order."""


@dataclass(frozen=True, kw_only=True)
class RecordingOrchestrator(Orchestrator):
    """Runs the steps one after the other in this process, and writes down what it was asked.

    A step that fails ends the run. Nothing is written down about a run whose results are all in
    the cache: it is never submitted.
    """

    flavor: ClassVar[str] = "recording"

    jobs: list[Recorded] = field(default_factory=list, init=False, compare=False, repr=False)
    """Every job so far, the latest last."""

    @property
    def order(self) -> list[str]:
        """Ids of the steps that ran, over all jobs."""
        return [run.call for recorded in self.jobs for run in recorded.runs]

    def submit(self, job: Job, observer: Observer) -> None:
        recorded = Recorded(job, tuple(job.pending))
        self.jobs.append(recorded)
        for call in recorded.pending:
            for id in (*(item.id for item in job.expand(call)), call):
                run = job.execute(id)
                recorded.runs.append(run)
                if not run.status.usable:
                    return


class RecordingObserver:
    """Writes down what it is told, a line of words for each event: `("started", "train")`."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []
        self._lock = threading.Lock()

    def run_started(
        self, run: str, pipeline: str, stack: str, origin: str, calls: Collection[str]
    ) -> None:
        self._add("run", pipeline, stack)

    def found_in_cache(self, hits: Mapping[str, StepRun]) -> None:
        for call in hits:
            self._add("cached", call)

    def step_started(self, call: Call) -> None:
        self._add("started", call.id)

    def step_finished(self, run: StepRun) -> None:
        self._add(run.status, run.call)

    def note(self, message: str) -> None:
        self._add("note", message)

    def run_finished(self, run: str, status: Status, seconds: float, store: str = "") -> None:
        self._add("run", status)

    def _add(self, *words: str) -> None:
        with self._lock:
            self.events.append(words)
