"""What a run asks of a real server, counted on the way there."""

from collections import Counter

import pytest
from places import Made

from penstock import Client, LocalOrchestrator, Stack, pipeline, step
from penstock.testing.asked import Request
from penstock.testing.proxy import FaultProxy
from penstock_s3 import S3ArtifactStore

BY_TIME = ("beat", "cancel")
"""What a run that takes more than some seconds writes and looks at, however many steps it has."""
WRITES = ("put", "copy", "delete", "start", "part", "complete")


@step
def added(value: int) -> int:
    return value + 1


@pipeline(progress=False)
def chain(length: int) -> int:
    value = 0
    for _ in range(length):
        value = added(value)
    return value


@pytest.fixture
def server(moto: object) -> object:
    """With conditional writes: nothing is looked for before it is written."""
    return moto


@pytest.fixture
def store(made: Made, proxy: FaultProxy) -> S3ArtifactStore:
    store = made("runs", through=proxy)
    ran(store, 1)  # makes the store, and what is found out once
    return store


def ran(store: S3ArtifactStore, length: int) -> None:
    stack = Stack("far", orchestrator=LocalOrchestrator(), artifact_store=store)
    assert chain.on(stack).run(length).result() == length


def asked(proxy: FaultProxy, store: S3ArtifactStore, length: int) -> Counter[str]:
    kinds = Counter[str]()

    def count(request: Request) -> None:
        if request.key.rpartition("/")[2] not in BY_TIME:
            kinds[request.kind] += 1

    proxy.plan = count
    ran(store, length)
    proxy.plan = None
    return kinds


def test_a_small_step_that_runs_takes_two_writes_and_one_look(
    store: S3ArtifactStore, proxy: FaultProxy
) -> None:
    few = asked(proxy, store, 4)
    many = asked(proxy, store, 16)

    # Of each chain the steps of the one before are in the cache already.
    assert many["put"] - few["put"] == 2 * (12 - 3)
    assert many["get"] - few["get"] <= 12 + 3
    assert set(many) <= {"put", "get", "head", "list"}


def test_a_run_that_is_all_in_the_cache_writes_two_objects(
    store: S3ArtifactStore, proxy: FaultProxy
) -> None:
    ran(store, 30)
    found = asked(proxy, store, 30)

    assert sum(found[kind] for kind in WRITES) == found["put"] == 2
    assert found["get"] <= 30 + 10
    assert found["list"] <= 2


def test_the_newest_runs_are_found_with_two_requests_for_each(
    store: S3ArtifactStore, proxy: FaultProxy
) -> None:
    for _ in range(4):
        ran(store, 1)
    stack = Stack("far", orchestrator=LocalOrchestrator(), artifact_store=store)
    proxy.forget()

    assert [run.status.value for run in Client(stack).runs(limit=5)] == ["completed"] * 5
    assert sum(proxy.requests.values()) <= 2 * 5 + 4
