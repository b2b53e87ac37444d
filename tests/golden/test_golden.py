"""What an earlier version left in a store is read by this one, all of it, for ever."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import golden_steps
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack
from penstock.digest import of_buffers
from penstock.errors import UntrustedArtifact
from penstock.model.records import Status
from penstock.runtime.ledger import Ledger
from penstock.runtime.run import Run

STORES = sorted(Path(__file__).parent.glob("store-*"))
FORMATS = {
    "plain": "json/1",
    "text": "text/1",
    "data": "bytes/1",
    "changeable": "bytearray/1",
    "view": "memoryview/1",
    "numbers": "npy/1",
    "number": "npy-scalar/1",
    "table": "arrow/1",
    "pandas_frame": "pandas-arrow/1",
    "pandas_series": "pandas-series-arrow/1",
    "polars_frame": "polars-arrow/1",
    "polars_series": "polars-series-arrow/1",
    "point": "dataclass/1",
    "settings": "pydantic/1",
    "pickled": "pickle/1",
    "file": "path/1",
    "tree": "path/1",
    "second_try": "json/1",
    "total": "json/1",
}


def same_files(found: Path, expected: Path) -> bool:
    """Names, bytes, links, and what can be executed."""

    def seen(root: Path) -> dict[str, object]:
        return {
            str(path.relative_to(root)): (
                os.readlink(path)
                if path.is_symlink()
                else path.is_dir() or (path.read_bytes(), os.access(path, os.X_OK))
            )
            for path in [root, *root.rglob("*")]
        }

    return found.name == expected.name and seen(found) == seen(expected)


def equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


SAME: dict[type, Callable[[Any, Any], object]] = {
    np.ndarray: lambda one, other: one.dtype == other.dtype and (one == other).all(),
    pd.DataFrame: lambda one, other: pd.testing.assert_frame_equal(one, other) is None,
    pd.Series: lambda one, other: pd.testing.assert_series_equal(one, other) is None,
    pl.DataFrame: lambda one, other: one.equals(other),
    pl.Series: lambda one, other: one.equals(other),
    pa.Table: lambda one, other: one.equals(other),
    type(Path()): same_files,
}


@pytest.fixture(params=STORES, ids=[store.name for store in STORES])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LocalArtifactStore:
    """A copy: tests may not write to what is committed."""
    shutil.copytree(request.param, tmp_path / "store")
    return LocalArtifactStore(path=str(tmp_path / "store"), signing_key="golden")  # type: ignore[arg-type]


def client(store: LocalArtifactStore) -> Client:
    return Client(Stack("golden", orchestrator=LocalOrchestrator(), artifact_store=store))


@pytest.fixture
def runs(store: LocalArtifactStore) -> list[Run[Any]]:
    """The first run, the one that took all from the cache, and the one that failed."""
    return client(store).runs()[::-1]


def test_there_is_a_golden_store_of_every_version_of_the_format() -> None:
    assert [store.name for store in STORES] == ["store-1"]


def test_the_runs_are_listed(runs: list[Run[Any]]) -> None:
    assert [(run.pipeline, run.status) for run in runs] == [
        ("everything", Status.COMPLETED),
        ("everything", Status.COMPLETED),
        ("failing", Status.FAILED),
    ]


def test_run_records_say_what_they_said(runs: list[Run[Any]]) -> None:
    record = runs[0].record

    assert record.verified
    assert (record.user, record.host, record.stack) == ("golden", "golden", "golden")
    assert (record.orchestrator, record.reference) == ("local", "golden_steps:everything")
    assert record.parameters == {"factor": "0.5", "given": "a ndarray"}
    assert record.started < runs[1].record.started
    assert {*record.versions} == {"python", "penstock"}
    assert {*record.calls} == {*FORMATS} == {*runs[1].record.hits}
    assert 0 < runs[0].duration < 600


@pytest.mark.parametrize("call", FORMATS)
def test_every_value_is_what_it_was(runs: list[Run[Any]], call: str) -> None:
    """In the run that made it, and in the one that took it from the cache."""
    if call in ("second_try", "total"):
        expected = float(golden_steps.array().sum() * (0.5 if call == "second_try" else 2))
    else:
        expected = getattr(golden_steps, call)()
    for run in runs[:2]:
        output = run[call].output
        assert output.artifact.format == FORMATS[call]
        assert SAME.get(type(expected), equal)(output.load(), expected)


def test_a_result_has_the_shape_that_the_pipeline_returned(runs: list[Run[Any]]) -> None:
    files, frames, small, text, data, second, total = runs[1].result()

    assert {name: path.name for name, path in files.items()} == {
        "file": "report.txt",
        "tree": "model",
    }
    assert [type(item) for item in frames[:2]] == [pa.Table, pd.DataFrame]
    assert (small[0], small[-1]) == (golden_steps.PLAIN, golden_steps.PICKLED)
    assert (text, data) == (golden_steps.TEXT, golden_steps.DATA)
    assert total == 4 * second


def test_step_records_say_what_they_said(runs: list[Run[Any]]) -> None:
    for view in runs[0]:
        record = view.record
        assert (record.run, record.call, record.status) == (runs[0].id, view.id, "completed")
        assert record.step == f"golden_steps:{view.id}"
        assert record.verified
        assert runs[0].started < record.started < runs[1].started
        assert 0 < record.wall < 600
        assert record.peak_memory > 1 << 20
        assert record.written == view.output.artifact.size
        assert len(record.key) == 64
        assert '"code":' in record.parts
        assert record.attempt == (2 if view.id == "second_try" else 1)


def test_hits_say_where_they_are_from(runs: list[Run[Any]]) -> None:
    assert {view.status for view in runs[1]} == {Status.CACHED}
    assert {view.record.source for view in runs[1]} == {(runs[0].id, call) for call in FORMATS}


def test_attempts_say_why_they_failed(store: LocalArtifactStore, runs: list[Run[Any]]) -> None:
    ledger = Ledger(store)
    [first] = ledger.attempts(runs[0].id, "second_try")
    [broken] = ledger.attempts(runs[2].id, "broken")

    assert first.failure is not None
    assert first.failure.kind == "ConnectionError"
    assert broken.failure is not None
    assert broken.failure.message == "no 3.0 here"
    assert broken.failure.traceback.endswith("ValueError: no 3.0 here\n")
    assert runs[2]["broken"].record == broken
    assert runs[2]["after"].status == Status.PENDING


def test_logs_say_what_was_printed(runs: list[Run[Any]]) -> None:
    text = runs[0]["second_try"].logs()

    assert text.count("printed by the step\n") == 2
    assert text.count("WARNING golden: logged by the step\n") == 2
    assert "ConnectionError: the first try always fails" in text
    assert "no 3.0 here" in runs[2]["broken"].logs()


@pytest.mark.parametrize("key", [None, "another"])
def test_pickles_load_with_the_key_only(store: LocalArtifactStore, key: Any) -> None:
    stranger = LocalArtifactStore(path=store.path, signing_key=key)
    for run in client(stranger).runs(pipeline="everything"):
        assert run["plain"].output.load() == golden_steps.PLAIN
        with pytest.raises(UntrustedArtifact):
            run["pickled"].output.load()


def files_in(store: LocalArtifactStore, folder: str = "") -> Iterator[str]:
    for entry in store.keys(folder):
        if entry.key.endswith("/"):
            yield from files_in(store, entry.key)
        else:
            yield entry.key


def test_every_object_is_what_its_name_says(store: LocalArtifactStore) -> None:
    names = list(files_in(store, "objects/"))

    assert len(names) == 8
    assert all(of_buffers([store.get(name)]) == name.rpartition("/")[2] for name in names)


def test_every_cache_entry_is_read(store: LocalArtifactStore) -> None:
    names = [name.rpartition("/")[2] for name in files_in(store, "cache/")]
    found = [Ledger(store).cached(name) for name in names]

    assert len(found) == len(FORMATS)
    assert all(run is not None and run.verified and run.status.usable for run in found)


def test_reading_changes_nothing(store: LocalArtifactStore, runs: list[Run[Any]]) -> None:
    def seen() -> dict[str, tuple[int, float]]:
        return {key: (store.stat(key).size, store.stat(key).modified) for key in files_in(store)}

    before = seen()
    for run in runs:
        for view in run:
            view.logs()
            for output in view.outputs.values():
                output.load()

    assert seen() == before


def test_the_golden_store_is_small() -> None:
    sizes = [file.stat().st_size for store in STORES for file in store.rglob("*") if file.is_file()]

    assert sum(sizes) < 150_000
