"""Which run a job is: the processes of an engine agree on it by what lies in the store."""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import LocalArtifactStore
from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.errors import CannotRun, CorruptArtifact
from penstock.model.records import RunRecord
from penstock.runtime import notation, provenance
from penstock.runtime.elsewhere import jobs
from penstock.runtime.ledger import Ledger
from penstock.runtime.runid import PATTERN
from penstock.stack.orchestrator import NEW

RUNS = ("20261122-005412-k3fq-7f3a", "20261122-005413-k3fq-7f3a")

PATTERN_OF_RECORD = RunRecord(
    run="", pipeline="training", reference="train:training", plan="ab" * 32, parameters={},
    stack="prod", stack_origin="test", orchestrator="engine", user="ann", host="", process=0,
    started=0.0, code="", commit=None, versions={}, calls=("load",), hits={"load": "cd" * 32},
)  # fmt: skip


def store_in(folder: Path) -> ArtifactStore:
    store = LocalArtifactStore(path=str(folder))
    Ledger(store).check()
    return store


# One after the other.


@given(
    asked=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([*RUNS, NEW])), min_size=1, max_size=12
    )
)
def test_a_job_is_one_run_and_a_run_is_one_job(
    asked: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = store_in(tmp_path_factory.mktemp("jobs"))
    known: dict[str, str] = {}
    for job, submitted in asked:
        run = jobs.run_of(store, job, submitted)
        if job not in known:
            free = submitted != NEW and submitted not in known.values()
            assert (run == submitted) is free
            assert run not in known.values()
        assert known.setdefault(job, run) == run
        assert PATTERN.fullmatch(run)


def test_the_run_that_a_job_was_submitted_for_may_be_noted_before(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    said = b'{"remote_id": "a", "url": "https://kfp.example/a"}'
    store.put(jobs.submitted_key(RUNS[0]), [said])
    assert jobs.run_of(store, "b", RUNS[0]) != RUNS[0]  # a clone
    assert jobs.run_of(store, "a", RUNS[0]) == RUNS[0]
    assert bytes(store.get(jobs.submitted_key(RUNS[0]))) == said


def test_without_a_job_the_run_is_the_one_that_was_said(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    assert jobs.run_of(store, "", RUNS[0]) == RUNS[0]
    assert not (tmp_path / "jobs").exists()


@pytest.mark.parametrize("job", ["", "..", "a/b", "{{$.pipeline_job_uuid}}", "a" * 129, "é"])
def test_what_is_no_id_is_refused(job: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="the engine has not filled it in"):
        jobs.run_of(store_in(tmp_path), job, NEW)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="no id of a run"):
        jobs.run_of(store_in(tmp_path), "a", "../../etc")


@pytest.mark.parametrize("said", [b"", b"[]", b'{"run": "../x"}', b'{"run": 7}', b"\xff"])
def test_what_somebody_else_has_written_there_leads_nowhere(said: bytes, tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.put(jobs.job_key("a"), [said])
    with pytest.raises(CorruptArtifact, match="jobs/a in"):
        jobs.run_of(store, "a", NEW)


# The record that a run begins with.


def test_the_record_of_a_run_is_a_copy_of_the_pattern(tmp_path: Path) -> None:
    ledger = Ledger(store_in(tmp_path))
    data = notation.written(PATTERN_OF_RECORD, ledger.identity.id)
    made = jobs.begun(ledger, RUNS[0], "a", notation.read_pattern(data))
    assert made is not None
    record = ledger.run(RUNS[0])
    assert record == made
    assert (record.job, record.elsewhere, record.process) == ("a", True, os.getpid())
    assert (record.user, record.host) == ("ann", provenance.host())
    assert record.hits == PATTERN_OF_RECORD.hits
    assert jobs.job_of(ledger.store, RUNS[0]) == "a"
    assert jobs.begun(ledger, RUNS[0], "a", PATTERN_OF_RECORD) is None


# At the same time.


@dataclass(frozen=True, kw_only=True)
class Careless(LocalArtifactStore):
    """A backend that lets everybody write, whatever is there; as honest as it `says`."""

    flavor: ClassVar[str] = "careless"
    says: bool = False

    def abilities(self) -> Mapping[str, Any]:
        return {"conditional_writes": self.says}

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        super().put(key, buffers)


def agreed(store: ArtifactStore, many: int = 4) -> set[str]:
    """What so many processes make of a job that nobody knows, each of which has looked before
    anybody has written."""
    barrier = threading.Barrier(many)
    first = threading.local()

    class Watched(type(store)):  # type: ignore[misc]
        def get(self, key: str) -> Buffer:
            try:
                return super().get(key)  # type: ignore[no-any-return]
            finally:
                if key.startswith("jobs/") and not getattr(first, "passed", False):
                    first.passed = True
                    barrier.wait(20)

    watched = Watched(**{field: getattr(store, field) for field in store.options()})
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(jobs.run_of(watched, "a", NEW)))
        for _ in range(many)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == many
    return set(found)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOMENT", 0.2)


def test_of_those_that_begin_together_one_says_which_run_it_is(tmp_path: Path) -> None:
    assert len(agreed(store_in(tmp_path))) == 1


def careless(folder: Path, **options: Any) -> ArtifactStore:
    store = Careless(path=str(folder), **options)
    Ledger(store).check()
    return store


def test_also_where_nobody_is_kept_out(tmp_path: Path, impatient: None) -> None:
    assert len(agreed(careless(tmp_path))) == 1


def test_a_backend_that_lies_about_it_would_be_noticed(tmp_path: Path, impatient: None) -> None:
    assert len(agreed(careless(tmp_path, says=True))) > 1
