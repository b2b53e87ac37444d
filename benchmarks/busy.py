"""A child of `warm_workers.py`: steps that keep a core busy, each in another process.

    python busy.py penstock 8 1.0

The processes are warm: they have done something before the clock starts.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from functools import partial

from clock import took

from penstock import LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.model.records import StepRun

WORKERS = 2


def spin(number: int, seconds: float) -> int:
    """Use so much time of the processor; what other processes take of it does not count."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return number


@step
def spinning(number: int, seconds: float) -> int:
    return spin(number, seconds)


moments: list[float] = []
"""When a step was handed to a worker, and when it was done; seen from here, as all of it is."""


def moment(_: StepRun) -> None:
    moments.append(time.perf_counter())


timed = spinning.with_options(on_start=moment, on_success=moment)


@pipeline(cache=False, progress=False)
def busy(count: int, seconds: float) -> list[int]:
    warm = spinning.map(list(range(WORKERS)), seconds=0.1)
    return timed.after(*warm).map(list(range(count)), seconds=seconds)


def ours(count: int, seconds: float) -> dict[str, float]:
    workers = LocalOrchestrator(workers="processes", max_workers=WORKERS)
    busy.on(Stack("busy", orchestrator=workers, artifact_store=LocalArtifactStore())).run(
        count, seconds
    )
    wall = max(moments) - min(moments)
    return {"cpu": count * seconds, "wall": wall}


def pool(count: int, seconds: float) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(WORKERS) as workers:
        workers.map(partial(spin, seconds=0.1), range(WORKERS), chunksize=1)
        return took(lambda: workers.map(partial(spin, seconds=seconds), range(count), chunksize=1))


if __name__ == "__main__":
    side = {"penstock": ours, "pool": pool}[sys.argv[1]]
    print(json.dumps(side(int(sys.argv[2]), float(sys.argv[3]))))
