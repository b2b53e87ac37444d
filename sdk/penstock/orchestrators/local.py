"""The local orchestrator: on this machine, independent steps side by side.

A chain runs in the caller's thread, so that `breakpoint()`, coverage and `pdb` work. Other threads
are set to work only when steps take long enough to be worth it: handing a step of microseconds to
a thread costs more than the step. Steps that ask for resources wait until these are free.

With worker processes the threads only wait for these, so each has one from the beginning.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal, cast

from penstock.errors import BadConfiguration
from penstock.lazy import lazy
from penstock.model.graph import Call
from penstock.model.resources import QUANTITY, Resources, memory_bytes, quantity
from penstock.orchestrators.walk import Execute, InTurn, Ready, Walk
from penstock.stack.orchestrator import Job, Observer, Orchestrator

if TYPE_CHECKING:
    from penstock.orchestrators import admission, capacity, gpus, machine
    from penstock.runtime.elsewhere import pool
    from penstock.runtime.elsewhere.handed import Whole
else:  # only for steps that ask for resources, and for worker processes
    admission = lazy("penstock.orchestrators.admission")
    capacity = lazy("penstock.orchestrators.capacity")
    gpus = lazy("penstock.orchestrators.gpus")
    machine = lazy("penstock.orchestrators.machine")
    pool = lazy("penstock.runtime.elsewhere.pool")


WORKERS: Final = ("threads", "processes")


@dataclass(frozen=True, kw_only=True)
class LocalOrchestrator(Orchestrator):
    """Runs steps in the process that runs the pipeline, or in worker processes beside it."""

    flavor: ClassVar[str] = "local"
    reserves_resources: ClassVar[bool] = True

    max_workers: int | None = None
    """Steps that run at once; by default one for each core, and in threads at least four."""
    workers: Literal["threads", "processes"] = "threads"
    """What carries out steps side by side: threads of this process, or processes that are started
    once for a run and kept. In processes Python code really runs at the same time, a step that
    crashes takes nothing else with it, and a timeout ends whatever a step does."""
    failure: Literal["stop", "finish", "collect"] = "stop"
    """When a step fails: start no other step; finish all that do not depend on it; or collect: the
    same, and the failure of an item of a `map` is data for the steps that depend on it."""
    resources: Resources | None = None
    """What the machine has for steps; by default what it really has."""
    memory_in_flight: str | None = None
    """Memory for outputs that are being written while other steps have the workers, for example
    "4Gi"; by default a quarter of the machine's. With "0" a step keeps its worker until its outputs
    are written."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_workers is not None and self.max_workers < 1:
            raise BadConfiguration(
                f"Orchestrator {self.name!r}: max_workers={self.max_workers}, but at least one "
                "worker is needed."
            )
        if self.workers not in WORKERS:
            raise BadConfiguration(
                f"Orchestrator {self.name!r}: workers={self.workers!r}: 'threads' or 'processes' "
                "is needed."
            )
        if self.memory_in_flight is not None and quantity(self.memory_in_flight) is None:
            raise BadConfiguration(
                f"Orchestrator {self.name!r}: memory_in_flight={self.memory_in_flight!r}: "
                f"{QUANTITY}",
                hint="For example memory_in_flight='4Gi', or '0' to start no step meanwhile.",
            )

    @property
    def collects(self) -> bool:
        return self.failure == "collect"

    def problems(self, calls: Sequence[Call]) -> Iterator[str]:
        if any(call.step.options.resources for call in calls):
            yield from capacity.problems(self._capacity(), calls, f"orchestrator {self.name!r}")

    def submit(self, job: Job, observer: Observer) -> None:
        most = self._most()
        with self._carried(job, most) as job:
            room, ready, execute = self._room(job, observer)
            walk = Walk(
                job, most, ready, execute, limit=self._for_flight,
                stop=self.failure == "stop", eager=self.workers == "processes",
            )  # fmt: skip
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
    ) -> tuple[AbstractContextManager[None], Ready, Execute]:
        """Where this job's calls run, when each may start, and how."""
        calls = [job.plan.graph.calls[call] for call in job.pending]
        if not any(call.step.options.resources for call in calls):
            return nullcontext(), InTurn(), job.execute
        there = self._capacity()
        held = gpus.Gpus(job, there, observer, apart=self.workers == "processes")
        return held, admission.Admission(calls, there), held.execute

    def _carried(self, job: Job, most: int) -> AbstractContextManager[Job]:
        """The job, whose calls are carried out in this process or in workers."""
        if self.workers == "threads":
            return nullcontext(job)
        return pool.Pool(cast("Whole", job), most)

    def _most(self) -> int:
        if self.max_workers is not None:
            return self.max_workers
        if self.workers == "processes":
            return max(int(machine.Machine().cores()), 1)
        return max(4, os.cpu_count() or 1)

    def _for_flight(self) -> int:
        if self.memory_in_flight is None:
            return machine.Machine().memory() // 4
        return memory_bytes(self.memory_in_flight)

    def _capacity(self) -> capacity.Capacity:
        return capacity.Capacity(self.resources, machine.Machine())
