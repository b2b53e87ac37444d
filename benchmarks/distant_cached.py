"""What a store that is far away costs a run that is fully cached, and whoever lists runs.

    python benchmarks/distant_cached.py [--quick]

Seconds on the wall's clock. The baseline makes the same requests and does nothing else: reads side
by side, lists and writes one after the other.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import process
import table
from pairs import Cost, alternate
from row import NONE, Goal, Row, counted, timed

from penstock import Client, LocalOrchestrator, Stack, pipeline, step
from penstock.runtime.runid import new_run_id
from penstock.testing.distant import DistantArtifactStore
from penstock.testing.memory import MemoryArtifactStore

HOUR = 3600.0

BARE = "the same requests"


@step
def grown(value: int) -> int:
    return value + 1


@pipeline(progress=False)
def chain(steps: int) -> int:
    value = 0
    for _ in range(steps):
        value = grown(value)
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description="Cached runs and lists of runs, far away.")
    parser.add_argument("--quick", action="store_true", help="small and once")
    quick = parser.parse_args().quick
    with TemporaryDirectory(prefix="penstock-benchmarks-") as name:
        process.live_in(Path(name))
        rows = [
            *cached(steps=20 if quick else 1000, latency=0.020, rounds=1 if quick else 5),
            *listed(runs=50 if quick else 10_000, latency=0.010, rounds=1 if quick else 5),
        ]
    print(table.text(rows))


def cached(steps: int, latency: float, rounds: int) -> Iterator[Row]:
    """A chain of steps, all of whose results are there."""
    stack = far("chain", latency)
    chain.on(stack).run(steps)
    yield from rows(
        f"chain of {steps:,}, cached", stack, lambda: chain.on(stack).run(steps), rounds
    )


def listed(runs: int, latency: float, rounds: int) -> Iterator[Row]:
    """The newest 20 runs, with what a list says of them."""
    stack = far("runs", latency)
    near = MemoryArtifactStore(path=stack.artifact_store.path)
    begun = time.time()
    for number in range(runs - 20):  # nobody reads those
        near.put(f"runs/{new_run_id(begun - HOUR - number * HOUR)}/run.json", [b""])
    for _ in range(20):
        chain.on(stack).run(1)

    def look() -> None:
        assert len([(run.status, run.duration) for run in Client(stack).runs()]) == 20

    goal = Goal(most=3)
    yield from rows(f"newest 20 of {runs:,} runs", stack, look, rounds, goal, Goal(most=60))


def far(name: str, latency: float) -> Stack:
    store = DistantArtifactStore(name="far", path=name, latency=latency)
    return Stack(
        "far", orchestrator=LocalOrchestrator(max_workers=1), artifact_store=store
    )  # fmt: skip


def rows(
    name: str, stack: Stack, work: Callable[[], object], rounds: int, goal: Goal = NONE,
    most: Goal = NONE,
) -> Iterator[Row]:  # fmt: skip
    store = stack.artifact_store
    assert isinstance(store, DistantArtifactStore)
    requests: list[Counter[str]] = []

    def ours(_: int) -> Cost:
        store.forget_requests()
        cost = timing(work)
        requests.append(store.requests)
        return cost

    def bare(round: int) -> Cost:
        return timing(lambda: same(store, requests[-1], round))

    taken = alternate({"ours": ours, "bare": bare}, range(rounds))
    yield timed(name, taken["ours"], BARE, taken["bare"], goal, "s", "wall")
    totals = [float(each.total()) for each in requests]
    yield counted(f"{name}, requests", "", totals, most)
    yield counted(f"{name}, writes", "", [float(each["put"]) for each in requests])


def timing(work: Callable[[], object]) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def same(store: DistantArtifactStore, requests: Counter[str], round: int) -> None:
    """As many requests of each kind."""
    store.get_all(f"raw/{number}" for number in range(requests["get"]))
    store.stat_all(f"raw/{number}" for number in range(requests["head"]))
    for number in range(requests["put"]):
        store.put(f"written/{round}/{number}", [b""])
    for _ in range(requests["list"]):
        next(store.keys("raw/"), None)


if __name__ == "__main__":
    main()
