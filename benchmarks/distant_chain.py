"""A chain of small steps on a store that is far away, beside the latency of what it must wait for.

    python benchmarks/distant_chain.py [--length N] [--latency SECONDS] [--rounds N] [--server NAME]

A step of a chain cannot be looked up before the one before it has its result: one request after
the other. What is written need not be waited for. So the least that a chain can take is its
lookups times the latency; with every request waited for it is all of them. Each round measures
the chain, a bare loop of as many waits as it has lookups, and one as long as all its requests.

With `--server`, moto or rclone, the store is on S3, behind a proxy in this process that lets every
request take longer, and counts: what the proxy itself takes is part of what the chain takes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from process import HERE

from penstock import LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.store import ArtifactStore
from penstock.testing import DistantArtifactStore
from penstock.testing.proxy import FaultProxy
from penstock_s3 import S3ArtifactStore

sys.path.append(str(HERE.parent / "tests" / "integrations" / "penstock_s3"))

from servers import KEY, REGION, SECRET, Server  # type: ignore[import-not-found]

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


Place = Callable[[int], tuple[ArtifactStore, Callable[[], Counter[str]]]]
"""Gives an empty store for each round, and what tells its requests since."""


@contextmanager
def in_memory(latency: float) -> Iterator[Place]:
    def place(number: int) -> tuple[ArtifactStore, Callable[[], Counter[str]]]:
        store = DistantArtifactStore(path=f"distant-chain-{number}", latency=latency)
        return store, lambda: store.requests

    yield place


@contextmanager
def on_server(kind: str, latency: float) -> Iterator[Place]:
    with Server(kind) as server, FaultProxy(server.url, latency=latency) as proxy:

        def place(number: int) -> tuple[ArtifactStore, Callable[[], Counter[str]]]:
            store = S3ArtifactStore(
                path=f"s3://{server.bucket()}/chain", endpoint_url=proxy.url, key=KEY,
                secret=SECRET, region=REGION,
            )  # fmt: skip
            proxy.forget()
            return store, lambda: proxy.requests

        yield place


def ran(place: Place, number: int, length: int) -> tuple[float, Counter[str]]:
    """Seconds, and requests by kind."""
    store, requests = place(number)
    stack = Stack("far", orchestrator=LocalOrchestrator(), artifact_store=store)
    begun = time.perf_counter()
    chain.on(stack).with_options(progress=False).run(length=length)
    return time.perf_counter() - begun, requests()


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
    parser.add_argument("--server", choices=["moto", "rclone"])
    given = parser.parse_args()
    where = on_server(given.server, given.latency) if given.server else in_memory(given.latency)
    with where as place:
        measured(place, given.length, given.latency, given.rounds)


def measured(place: Place, length: int, latency: float, rounds: int) -> None:
    ran(place, 0, 5)  # what is loaded once
    ratios = []
    for number in range(1, rounds + 1):
        took, asked = ran(place, number, length)
        lookups = asked["get"] + asked["head"]
        least = waited(lookups, latency)
        ratios.append(took / least)
        every = sum(asked.values()) * least / lookups
        print(f"{took:6.2f} s  {took / least:4.2f} x lookups ({least:.2f} s)  "
              f"{took / every:4.2f} x all requests one by one  {dict(asked)}")  # fmt: skip
    best = min(ratios)
    verdict = "reached" if best <= GOAL else "missed"
    print(f"median {median(ratios):.2f}, best {best:.2f} of the lookups; goal {GOAL}: {verdict}")


if __name__ == "__main__":
    main()
