"""A chain of small steps on a store that is far away, beside the latency of what it must wait for.

    python benchmarks/distant_chain.py [--length N] [--latency SECONDS] [--rounds N] [--server NAME]

A step of a chain cannot be looked up before the one before it has its result: one request after
the other. What is written need not be waited for. So the least that a chain can take is its
lookups times the latency. Each round measures the chain, and a bare loop of as many waits.

With `--server`, moto or rclone, the store is on S3, behind a proxy that lets every request take
longer, and counts; both are processes of their own. A server takes its time beside the latency, so
each round measures as well what the same lookups take with a bare client, over one connection and
with nothing written meanwhile: on this server no chain can be faster.

A round while other machines took much of the processors tells nothing, and is measured again.
"""

from __future__ import annotations

import argparse
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import stolen
from bare_lookups import looked_up
from process import HERE
from table import columns

from penstock import LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.store import ArtifactStore
from penstock.testing import DistantArtifactStore
from penstock_s3 import S3ArtifactStore

sys.path.append(str(HERE.parent / "tests" / "integrations" / "penstock_s3"))

from servers import KEY, REGION, SECRET, Server  # type: ignore[import-not-found]

GOAL = 2.5
"""Times the least that a chain can take."""

MUCH = 0.1
"""The part of the processors that others may take during a round."""

AGAIN = 3
"""Times as many rounds as are asked for are enough."""

HEAD = (
    "chain",
    "waits",
    "bare client",
    "chain / waits",
    "bare / waits",
    "chain / bare",
    "cpu a step",
    "stolen",
)


@step
def added(value: int) -> int:
    return value + 1


@pipeline
def chain(length: int) -> int:
    value = 0
    for _ in range(length):
        value = added(value)
    return value


class Far(ABC):
    """A place that is far away."""

    @abstractmethod
    def store(self) -> ArtifactStore:
        """An empty one."""

    @abstractmethod
    def requests(self) -> Counter[str]:
        """Those to the store that was given last, by kind."""

    def bare(self, lookups: int) -> float:
        """Seconds that they take with a bare client; 0 if there is no server."""
        return 0.0


class InMemory(Far):
    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._made = 0

    def store(self) -> ArtifactStore:
        self._made += 1
        path = f"distant-chain-{self._made}"
        self._store = DistantArtifactStore(path=path, latency=self._latency)
        return self._store

    def requests(self) -> Counter[str]:
        return self._store.requests


class OnServer(Far):
    def __init__(self, server: Any, proxy: Any) -> None:
        self._server = server
        self._proxy = proxy

    def store(self) -> ArtifactStore:
        bucket = self._server.bucket()
        self._proxy.requests()
        return S3ArtifactStore(
            path=f"s3://{bucket}/chain", endpoint_url=self._proxy.url, key=KEY, secret=SECRET,
            region=REGION,
        )  # fmt: skip

    def requests(self) -> Counter[str]:
        found: Counter[str] = self._proxy.requests()
        return found

    def bare(self, lookups: int) -> float:
        return looked_up(lookups, self._proxy.url, self._server.bucket(), KEY, SECRET, REGION)


@contextmanager
def far(server: str | None, latency: float) -> Iterator[Far]:
    if server is None:
        yield InMemory(latency)
        return
    with Server(server) as real, Server("proxy", real.url, str(latency)) as proxy:
        yield OnServer(real, proxy)


@dataclass(frozen=True)
class Round:
    """What one took, in seconds."""

    length: int
    chain: float
    cpu: float
    waits: float
    bare: float
    stolen: float
    requests: Counter[str]

    @property
    def ratio(self) -> float:
        return self.chain / self.waits

    def cells(self) -> tuple[str, ...]:
        return (
            f"{self.chain:.2f} s",
            f"{self.waits:.2f} s",
            f"{self.bare:.2f} s" if self.bare else "",
            f"{self.ratio:.2f} x",
            f"{self.bare / self.waits:.2f} x" if self.bare else "",
            f"{self.chain / self.bare:.2f} x" if self.bare else "",
            f"{self.cpu / self.length * 1e3:.1f} ms",
            f"{self.stolen:.0%}",
        )


def ran(place: Far, length: int) -> tuple[float, float]:
    """Seconds on the clock, and of this process's processors."""
    stack = Stack("far", orchestrator=LocalOrchestrator(), artifact_store=place.store())
    begun, cpu = time.perf_counter(), time.process_time()
    chain.on(stack).with_options(progress=False).run(length=length)
    return time.perf_counter() - begun, time.process_time() - cpu


def waited(times: int, latency: float) -> float:
    """Seconds that so many requests take at least, one after the other."""
    begun = time.perf_counter()
    for _ in range(times):
        time.sleep(latency)
    return time.perf_counter() - begun


def one_round(place: Far, length: int, latency: float) -> Round:
    with stolen.share() as lost:
        took, cpu = ran(place, length)
        asked = place.requests()
        lookups = asked["get"] + asked["head"]
        waits = waited(lookups, latency)
        bare = place.bare(lookups)
    return Round(length, took, cpu, waits, bare, lost.share, asked)


def measured(place: Far, length: int, latency: float, rounds: int) -> list[Round]:
    """As many rounds as are asked for of those in which little was stolen, if there are so many."""
    ran(place, 5)  # what is loaded once
    found: list[Round] = []
    for _ in range(AGAIN * rounds):
        found.append(one_round(place, length, latency))
        quiet = [each for each in found if each.stolen <= MUCH]
        if len(quiet) == rounds:
            return quiet
    return found


def report(found: list[Round]) -> str:
    ratios = [each.ratio for each in found]
    verdict = "reached" if min(ratios) <= GOAL else "missed"
    table = columns(HEAD, [each.cells() for each in found], frozenset(HEAD))
    best = f"median {median(ratios):.2f}, best {min(ratios):.2f} of the waits"
    asked = f"requests of a round: {dict(found[-1].requests)}"
    return f"{table}\n{asked}\n{best}; goal {GOAL}: {verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(description="A chain of small steps on a distant store.")
    parser.add_argument("--length", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server", choices=["moto", "rclone"])
    given = parser.parse_args()
    with far(given.server, given.latency) as place:
        print(report(measured(place, given.length, given.latency, given.rounds)))


if __name__ == "__main__":
    main()
