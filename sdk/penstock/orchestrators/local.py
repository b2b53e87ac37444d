"""The local orchestrator: in this process, independent steps side by side.

A chain runs in the caller's thread, so that `breakpoint()`, coverage and `pdb` work. Other threads
are set to work only when steps take long enough to be worth it: handing a step of microseconds to
a thread costs more than the step. Steps that ask for resources wait until these are free.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from penstock.errors import BadConfiguration
from penstock.lazy import lazy
from penstock.model.graph import Call
from penstock.model.records import StepRun
from penstock.model.resources import Resources
from penstock.orchestrators.walk import InTurn, Ready, Walk
from penstock.stack.orchestrator import Job, Observer, Orchestrator

if TYPE_CHECKING:
    from penstock.orchestrators import admission, capacity, gpus, machine
else:  # only for steps that ask for resources
    admission = lazy("penstock.orchestrators.admission")
    capacity = lazy("penstock.orchestrators.capacity")
    gpus = lazy("penstock.orchestrators.gpus")
    machine = lazy("penstock.orchestrators.machine")


@dataclass(frozen=True, kw_only=True)
class LocalOrchestrator(Orchestrator):
    """Runs steps in the process that runs the pipeline."""

    flavor: ClassVar[str] = "local"
    reserves_resources: ClassVar[bool] = True

    max_workers: int | None = None
    """Steps that run at once; by default one for each core, and at least four."""
    failure: Literal["stop", "finish", "collect"] = "stop"
    """When a step fails: start no other step; finish all that do not depend on it; or collect: the
    same, and the failure of an item of a `map` is data for the steps that depend on it."""
    resources: Resources | None = None
    """What the machine has for steps; by default what it really has."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_workers is not None and self.max_workers < 1:
            raise BadConfiguration(
                f"Orchestrator {self.name!r}: max_workers={self.max_workers}, but at least one "
                "worker is needed."
            )

    @property
    def collects(self) -> bool:
        return self.failure == "collect"

    def problems(self, calls: Sequence[Call]) -> Iterator[str]:
        if any(call.step.options.resources for call in calls):
            yield from capacity.problems(self._capacity(), calls, f"orchestrator {self.name!r}")

    def submit(self, job: Job, observer: Observer) -> None:
        workers = self.max_workers or max(4, os.cpu_count() or 1)
        room, ready, execute = self._room(job, observer)
        walk = Walk(job, workers, ready, execute, stop=self.failure == "stop")
        with room:
            try:
                while (call := walk.next_for_caller()) is not None:
                    walk.execute(call)
            except BaseException as error:  # Ctrl-C while nothing runs in this thread
                walk.stop(error)
            if walk.is_stopping and isinstance(walk.error, KeyboardInterrupt):
                observer.note(
                    "waiting for the steps that run now; Ctrl-C once more ends the process"
                )
            walk.join()

    def _room(
        self, job: Job, observer: Observer
    ) -> tuple[AbstractContextManager[None], Ready, Callable[[str], StepRun]]:
        """Where this job's calls run, when each may start, and how."""
        calls = [job.plan.graph.calls[call] for call in job.pending]
        if not any(call.step.options.resources for call in calls):
            return nullcontext(), InTurn(), job.execute
        there = self._capacity()
        held = gpus.Gpus(job, there, observer)
        return held, admission.Admission(calls, there), held.execute

    def _capacity(self) -> capacity.Capacity:
        return capacity.Capacity(self.resources, machine.Machine())
