"""The fakes are real: each passes the suite of its category."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from penstock import Client, LocalOrchestrator, RunFailed, Stack, Status, pipeline, step
from penstock.artifacts.formats import registry
from penstock.artifacts.materializer import Materializer
from penstock.artifacts.store import ArtifactStore
from penstock.errors import NoSuchKey
from penstock.stack import Orchestrator
from penstock.testing import (
    ArtifactStoreTests,
    DistantArtifactStore,
    MaterializerTests,
    MemoryArtifactStore,
    OrchestratorTests,
    RecordingOrchestrator,
)


class TestMemoryStore(ArtifactStoreTests):
    shared: ClassVar[bool] = False

    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        return MemoryArtifactStore(path=str(tmp_path))


class TestDistantStore(ArtifactStoreTests):
    shared: ClassVar[bool] = False

    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        return DistantArtifactStore(path=str(tmp_path), latency=0.0001)


def test_a_distant_store_counts_what_it_is_asked(tmp_path: Path) -> None:
    store = DistantArtifactStore(path=str(tmp_path))
    store.put("a", [b"1"])
    assert (list(store.get_all(["a", "b"])), len(list(store.keys()))) == (["a"], 1)

    assert store.requests == {"put": 1, "get": 2, "list": 1}


class TestRecordingOrchestrator(OrchestratorTests):
    @pytest.fixture
    def orchestrator(self) -> Orchestrator:
        return RecordingOrchestrator()


class TestLocalOrchestrator(OrchestratorTests):
    @pytest.fixture(params=["stop", "finish"])
    def orchestrator(self, request: pytest.FixtureRequest) -> Orchestrator:
        return LocalOrchestrator(failure=request.param)


class TestArrays(MaterializerTests[np.ndarray[Any, Any]]):
    @pytest.fixture
    def materializer(self) -> Any:
        return type(registry.for_format("npy/1", None))

    @pytest.fixture
    def values(self) -> Sequence[np.ndarray[Any, Any]]:
        return [np.arange(10), np.zeros((0, 3)), np.ones((50, 20), order="F"), np.array("text")]

    def same(self, one: Any, other: Any) -> bool:
        return one.dtype == other.dtype and np.array_equal(one, other)


class TestTexts(MaterializerTests[str]):
    @pytest.fixture
    def materializer(self) -> type[Materializer[str]]:
        return type(registry.for_format("text/1", None))  # type: ignore[return-value]

    @pytest.fixture
    def values(self) -> list[str]:
        return ["", "naïve ☃", "x" * 5000]


@step
def double(number: int) -> int:
    return 2 * number


@step
def refuse(number: int) -> int:
    raise ValueError("no")


@pipeline(progress=False)
def doubling() -> int:
    return double(double(1))


@pipeline(progress=False)
def refusing() -> int:
    return double(refuse(double(1)))


@pytest.fixture
def fake(tmp_path: Path) -> Any:
    return Stack(
        "fake",
        orchestrator=RecordingOrchestrator(),
        artifact_store=MemoryArtifactStore(path=str(tmp_path)),
    )


def test_stores_of_one_path_are_one_place() -> None:
    one, other = MemoryArtifactStore(path="here"), MemoryArtifactStore(path="here")
    one.put("a", [b"1"])

    assert bytes(other.get("a")) == b"1"
    assert list(MemoryArtifactStore(path="there").keys()) == []


def test_a_memory_can_be_cleared() -> None:
    store = MemoryArtifactStore(path="forgetful")
    store.put("a", [b"1"])
    store.clear()

    with pytest.raises(NoSuchKey):
        store.get("a")


def test_a_run_in_memory_writes_no_file(fake: Any, tmp_path: Path) -> None:
    assert doubling.on(fake).run().result() == 4
    assert Client(fake).run("last").status is Status.COMPLETED
    assert list(tmp_path.iterdir()) == []


def test_what_was_asked_is_written_down(fake: Any) -> None:
    doubling.on(fake).run()
    (job,) = fake.orchestrator.jobs

    assert job.pending == ("double", "double-2")
    assert [run.status for run in job.runs] == [Status.COMPLETED] * 2
    assert fake.orchestrator.order == ["double", "double-2"]


def test_a_cached_run_is_never_submitted(fake: Any) -> None:
    doubling.on(fake).run()
    doubling.on(fake).run()

    assert len(fake.orchestrator.jobs) == 1


def test_nothing_is_run_after_a_failure(fake: Any) -> None:
    with pytest.raises(RunFailed):
        refusing.on(fake).run()

    assert fake.orchestrator.order == ["double", "refuse"]


def test_what_was_written_down_is_no_option(fake: Any) -> None:
    before = fake.to_data()
    doubling.on(fake).run()

    assert fake.to_data() == before
    assert fake.orchestrator.options() == {}
