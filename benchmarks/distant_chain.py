"""A chain of small steps on a store that is far away, beside the latency of what it must wait for.

    python benchmarks/distant_chain.py [--length N] [--latency SECONDS] [--rounds N]

A step of a chain cannot be looked up before the one before it has its result: one request after
the other. What is written need not be waited for. So the least that a chain can take is its
lookups times the latency; with every request waited for it is all of them. Each round measures
the chain, a bare loop of as many waits as it has lookups, and one as long as all its requests.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from statistics import median

from penstock import LocalOrchestrator, Stack, pipeline, step
from penstock.testing import DistantArtifactStore

GOAL = 2.5
"""Times the least that a chain can take."""


@step
def added(value: int) -> int:
    return value + 1


@pipeline
def chain(length: int) -> int:
    value = 0
    for _ in range(length):
        value = added(value)
    return value


def ran(store: DistantArtifactStore, length: int) -> tuple[float, Counter[str]]:
    """Seconds, and requests by kind."""
    store.clear()
    store.forget_requests()
    stack = Stack("far", orchestrator=LocalOrchestrator(), artifact_store=store)
    begun = time.perf_counter()
    chain.on(stack).with_options(progress=False).run(length=length)
    return time.perf_counter() - begun, store.requests


def waited(times: int, latency: float) -> float:
    """Seconds that so many requests take at least, one after the other."""
    begun = time.perf_counter()
    for _ in range(times):
        time.sleep(latency)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description="A chain of small steps on a distant store.")
    parser.add_argument("--length", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    store = DistantArtifactStore(path="distant-chain", latency=given.latency)
    ran(store, 5)
    ratios = []
    for _ in range(given.rounds):
        took, asked = ran(store, given.length)
        least = waited(asked["get"] + asked["head"], given.latency)
        ratios.append(took / least)
        every = sum(asked.values()) * least / (asked["get"] + asked["head"])
        print(f"{took:6.2f} s  {took / least:4.2f} x lookups ({least:.2f} s)  "
              f"{took / every:4.2f} x all requests one by one  {dict(asked)}")  # fmt: skip
    best = min(ratios)
    verdict = "reached" if best <= GOAL else "missed"
    print(f"median {median(ratios):.2f}, best {best:.2f} of the lookups; goal {GOAL}: {verdict}")


if __name__ == "__main__":
    main()
