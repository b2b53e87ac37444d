"""A compiled pipeline has what it needs in the store as long as somebody uses it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pods
import pytest
from past import DAY, HOUR, Past
from pods import Cluster

from penstock import Status

PROJECT = """
from penstock import pipeline, step

@step
def repeat(text: str) -> str:
    return text * 2

@step
def size(text: str) -> int:
    return len(text)

@pipeline(progress=False)
def sizing(text: str) -> int:
    return size(repeat(text))

@pipeline(progress=False)
def repeating(text: str) -> str:
    return repeat(text)
"""

LONG = "a text that is an object of its own, " * 1000

OTHER_FORMS = (
    b"", b"[]", b"{}", b"\xff", b"[" * 10_000, b'{"plan": 1, "record": 2, "code": 3}',
    b'{"plan": "../../run", "record": "RECORD", "code": ""}',
    b'{"plan": "PLAN", "record": "PLAN", "code": ""}',
    b'{"plan": "PLAN", "record": "RECORD", "code": null}',
    b'{"plan": "", "record": "RECORD", "code": "CODE"}',
)  # fmt: skip


@pytest.fixture
def sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "penstock.yaml").write_text("flavors: {orchestrator: {engine: 'noting:Noting'}}")
    (tmp_path / "noting.py").write_text(pods.NOTING)
    (tmp_path / "sizes.py").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("sizes")
    sys.modules.pop("sizes", None)
    pods.end_all()


def noted(past: Past) -> list[Path]:
    return [file for file in past.files() if file.parent.name == "compiled"]


def named(cluster: Cluster) -> set[str]:
    """The objects that its command lines name."""
    argv = next(iter(cluster.commands.values()))
    return {argv[argv.index(flag) + 1] for flag in ("--plan", "--record", "--code")}


def begin_again(cluster: Cluster) -> Cluster:
    return Cluster(cluster.folder, cluster.commands)


def test_a_file_can_be_used_as_long_as_somebody_does(
    sizes: Any, past: Past, tmp_path: Path
) -> None:
    cluster = pods.compiled(tmp_path, sizes.sizing, LONG)
    for _ in range(2):
        past.passes(60 * DAY)
        found = past.gc(keep_runs=0, keep_cache=0)
        assert found.kinds["compiled pipelines"].kept.count == 1
        cluster = begin_again(cluster)
        cluster.pod("repeat")
        cluster.pod("size")
        assert cluster.records.status is Status.COMPLETED
        assert cluster.records["size"].output.load() == 2 * len(LONG)
    found = past.gc(grace=0, keep_runs=0, keep_cache=0)
    assert found.kinds["compiled pipelines"].gone.count == 0


def test_results_that_were_left_out_of_it_stay_as_well(
    sizes: Any, past: Past, tmp_path: Path
) -> None:
    sizes.repeating.on(pods.stack_in(tmp_path)).run(LONG)
    cluster = pods.compiled(tmp_path, sizes.sizing, LONG, everything=False)
    assert "repeat" not in cluster.commands
    past.passes(60 * DAY)
    assert past.gc(keep_runs=0, keep_cache=0).kinds["runs"].gone.count == 1
    said = cluster.pod("size")
    assert "computed again" not in said.err
    assert cluster.records.status is Status.COMPLETED


def test_what_nobody_has_used_for_long_goes(sizes: Any, past: Past, tmp_path: Path) -> None:
    cluster = pods.compiled(tmp_path, sizes.sizing, LONG)
    past.passes(91 * DAY)
    said = past.client.gc().to_data()
    found = past.gc()
    assert {**said, "deleted": True} == found.to_data()
    assert found.kinds["compiled pipelines"].gone.count == 1
    assert noted(past) == []
    assert past.objects() == set()
    assert "is gone from the store" in cluster.pod("repeat", 5).err


def test_without_the_note_it_would_go_much_earlier(sizes: Any, past: Past, tmp_path: Path) -> None:
    cluster = pods.compiled(tmp_path, sizes.sizing, LONG)
    past.passes(2 * DAY)
    assert past.client.gc().freed == 0
    noted(past)[0].unlink()
    past.gc()
    assert past.objects().isdisjoint(named(cluster))


@pytest.mark.parametrize(("keep", "stays"), [("3d", True), ("1d", False), (HOUR, False)])
def test_how_long_is_what_the_user_says(
    sizes: Any, past: Past, tmp_path: Path, keep: Any, stays: bool
) -> None:
    cluster = pods.compiled(tmp_path, sizes.sizing, LONG)
    past.passes(2 * DAY)
    past.gc(keep_compiled=keep)
    assert (named(cluster) <= past.objects()) is stays
    assert len(noted(past)) == stays


def test_what_is_younger_than_the_grace_stays_all_the_same(
    sizes: Any, past: Past, tmp_path: Path
) -> None:
    pods.compiled(tmp_path, sizes.sizing, LONG)
    past.passes(HOUR)
    assert past.gc(keep_compiled=0).freed == 0
    assert len(noted(past)) == 1


@pytest.mark.parametrize("form", OTHER_FORMS, ids=range(len(OTHER_FORMS)))
def test_what_has_another_form_keeps_nothing(
    sizes: Any, past: Past, tmp_path: Path, form: bytes
) -> None:
    pods.compiled(tmp_path, sizes.sizing, LONG)
    (file,) = noted(past)
    said = json.loads(file.read_text())
    for name in ("plan", "record", "code"):
        form = form.replace(name.upper().encode(), said[name].encode())
    file.write_bytes(form)
    (file.parent / "notes.txt").write_text("mine")
    past.passes(2 * DAY)
    found = past.gc()
    assert past.objects() == set()
    assert found.foreign[-1].endswith("compiled/notes.txt")
    assert file.exists()
    past.passes(91 * DAY)
    past.gc()
    assert not file.exists()
