"""What a cleaning takes away, and what it leaves."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from past import DAY, HOUR, Past, chain, expected, loose, pickling, single, using

from penstock import Client, LocalArtifactStore
from penstock.artifacts.compression import ENDING
from penstock.artifacts.values import NOTHING, Values
from penstock.errors import BadArguments, CorruptArtifact, NotFound, RunError, StoreTooNew
from penstock.model.records import RunRecord
from penstock.runtime import processes
from penstock.runtime.cleaning.retention import NEEDED
from penstock.runtime.ledger import Ledger, cache_key
from penstock.testing.distant import DistantArtifactStore

FOREIGN = (
    "notes.txt",
    "runs/notes.txt",
    "runs/my-folder/a",
    "objects/notes.txt",
    "objects/ab/notes.txt",
    "cache/README",
    "cache/ab/ab",
    "corrupt/what",
    "data/big.csv",
)


def running(run: str, **fields: object) -> RunRecord:
    """The record of a run that goes on in this process."""
    record = RunRecord(
        run=run, pipeline="chain", reference="past:chain", plan="ab" * 32, parameters={},
        stack="here", stack_origin="test", orchestrator="local", user="ann", host="laptop",
        process=os.getpid(), started=time.time(), code="cd" * 32, commit=None, versions={},
        calls=("make",), hits={}, machine=processes.machine(),
        process_started=processes.started(os.getpid()),
    )  # fmt: skip
    return replace(record, **fields)  # type: ignore[arg-type]


GOING_ON = "20200101-000000-aaaa-aaaa"


# Runs.


def test_without_delete_nothing_is_touched(past: Past) -> None:
    for text in "abc":
        past.run(text)
    past.passes(90 * DAY)
    before = {file: file.stat().st_mtime_ns for file in past.files()}
    found = past.client.gc(keep_runs=1)

    assert {file: file.stat().st_mtime_ns for file in past.files()} == before
    assert (found.deleted, len(found.runs)) == (False, 2)
    assert found.kinds["objects"].gone.count >= 4


def test_what_would_go_is_what_goes(past: Past) -> None:
    for text in "abc":
        past.run(text)
    past.passes(90 * DAY)
    said = past.client.gc(keep_runs=1).to_data()
    done = past.gc(keep_runs=1).to_data()

    assert {**said, "deleted": True} == done
    assert past.client.gc(keep_runs=1).freed == 0


def test_the_newest_runs_of_each_pipeline_stay(past: Past) -> None:
    runs = [past.run(text).id for text in "abc"] + [past.run("a", single).id]
    past.passes(90 * DAY)
    past.gc(keep_runs=2)

    assert sorted(past.runs) == sorted(runs[1:])
    assert past.client.run(runs[2]).result() == "c" * 10000


def test_nothing_of_a_run_is_left(past: Past) -> None:
    run = past.run("a")
    made = run["make"].output.artifact
    assert past.has(made)
    past.run("b", single)
    past.passes(90 * DAY)
    past.client.delete(run.id)
    past.gc(keep_runs=1)

    assert not (past.path / "runs" / run.id).exists()
    assert past.dangling() == []
    assert not past.has(made)
    assert not past.has_plan(run)


def test_what_is_young_stays_however_little_is_to_be_kept(past: Past) -> None:
    runs = [past.run(text).id for text in "abc"]
    past.passes(DAY - HOUR)
    found = past.gc(keep_runs=0, keep_cache=0)

    assert (found.freed, sorted(past.runs)) == (0, sorted(runs))


def test_a_pinned_run_stays(past: Past) -> None:
    run = past.run("a")
    run.pin()
    past.run("b")
    past.passes(90 * DAY)
    found = past.gc(keep_runs=1)

    assert found.kept["pinned"] == [run.id]
    assert run.result() == "a" * 10000
    run.unpin()
    assert past.gc(keep_runs=1).runs == [run.id]


def test_a_run_that_goes_on_stays_with_all_that_was_stored_since(past: Past) -> None:
    past.run("a")
    past.ledger.begin(running(GOING_ON))
    values = Values(past.store, lambda _: NOTHING)
    kept = values.save("b" * 5000, str, "a value")
    past.passes(90 * DAY)
    found = past.gc(keep_runs=0, keep_cache=0)

    assert found.kept == {"running": [GOING_ON]}
    assert values.is_there(kept)


def test_the_newest_run_that_is_completed_stays_behind_failed_ones(past: Past) -> None:
    good = past.run("a", single)
    for number in range(3):
        process = running(f"20990101-00000{number}-aaaa-aaaa", pipeline="single", process=2**22 + 1)
        past.ledger.begin(process)
    past.passes(90 * DAY)
    found = past.gc(keep_runs=2)

    assert found.kept["the newest of their pipeline that is completed"] == [good.id]
    assert good.result() == "a" * 5000


def test_a_failed_run_goes_with_its_attempts_and_logs(past: Past) -> None:
    run = past.failed("a")
    past.passes(90 * DAY)
    past.gc(keep_runs=0)

    assert not (past.path / "runs" / run.id).exists()


def test_a_run_that_cannot_be_read_stays_with_all_that_it_names(past: Past) -> None:
    run = past.run("a")
    past.passes(90 * DAY)
    file = past.path / "runs" / run.id / "run.json"
    file.write_bytes(file.read_bytes().replace(b'"calls"', b'"sllac"'))
    found = past.gc_hard(keep_runs=0)

    assert found.kept == {"not readable": [run.id]}
    assert all(past.has(view.output.artifact) for view in run)
    assert past.has_plan(run)


def test_what_is_left_of_a_run_that_was_half_deleted_goes(past: Past) -> None:
    run = past.run("a")
    (past.path / "runs" / run.id / "run.json").unlink()
    assert past.client.runs() == []
    past.gc()
    assert (past.path / "runs" / run.id).exists()
    past.passes(2 * DAY)
    past.gc()

    assert not (past.path / "runs" / run.id).exists()


# The cache.


def test_what_the_cache_needs_stays_when_its_run_goes(past: Past) -> None:
    first = past.run("ab")
    past.passes(20 * DAY)
    past.gc(keep_runs=0)
    assert past.runs == []

    again = past.run("ab")
    assert (again.result(), past.computed(again)) == (expected("ab", chain), [])
    assert again["make"].record.source == (first.id, "make")


def test_a_result_that_nobody_used_for_long_goes(past: Past) -> None:
    past.run("a")
    past.passes(40 * DAY)
    past.gc(keep_runs=0)
    assert (past.objects(), list(past.entries())) == (set(), [])

    again = past.run("a")
    assert (again.result(), past.computed(again)) == ("a" * 10000, ["make", "make-2", "join"])


def test_a_result_that_was_used_is_young_again(past: Past) -> None:
    past.run("a")
    past.passes(20 * DAY)
    past.run("a")
    past.passes(20 * DAY)
    past.gc(keep_runs=0)

    assert past.computed(past.run("a")) == []


def test_a_run_stays_whole_whose_hits_are_of_a_run_that_goes(past: Past) -> None:
    first = past.run("a")
    second = past.run("a")
    past.passes(90 * DAY)
    found = past.gc_hard(keep_runs=1)

    assert found.runs == [first.id]
    run = past.client.run(second.id)
    assert run.result() == "a" * 10000
    assert {view.status for view in run} == {"cached"}


def test_a_run_stays_whole_whose_hits_were_computed_again_since(past: Past) -> None:
    first = past.run("a", single)
    second = past.run("a", single)
    past.run("a", single, refresh=True)
    past.passes(90 * DAY)
    found = past.gc_hard(keep_runs=2)

    assert found.runs == []
    assert found.kept[NEEDED] == [first.id]
    assert {view.status for view in past.client.run(second.id)} == {"cached"}


def test_looking_at_a_run_makes_nothing_young(past: Past) -> None:
    run = past.run("a")
    past.run("a")
    past.passes(40 * DAY)
    before = {file: file.stat().st_mtime_ns for file in past.files()}
    for each in past.client.runs():
        assert each.result() == run.result()

    assert {file: file.stat().st_mtime_ns for file in past.files()} == before


def test_an_entry_that_was_touched_does_not_prolong_a_lost_run(past: Past) -> None:
    run = past.run("a")
    folder = past.path / "runs" / run.id
    (folder / "end.json").unlink()
    (folder / "steps" / "join.json").unlink()
    past.passes(20 * DAY)
    sign = past.ledger.last_sign(run.record)
    past.run("a")

    assert past.ledger.last_sign(run.record) == sign


def test_entries_of_other_keys_go_as_well(tmp_path: Path) -> None:
    for key in ("ours", "theirs"):
        store = LocalArtifactStore(path=str(tmp_path / "store"), signing_key=key)  # type: ignore[arg-type]
        past = Past(tmp_path / "store", store)
        past.run("a", pickling)
    assert len(list(past.entries())) == 2
    past.passes(90 * DAY)
    past.gc(keep_runs=0)

    assert list(past.entries()) == []


# What else is needed.


def test_what_a_run_was_given_stays(past: Past) -> None:
    past.run("a", single)
    output = past.client.artifact("single/make")
    second = using.on(past.stack).run(output)
    past.passes(90 * DAY)
    past.client.delete(past.runs[1])
    past.gc_hard(keep_runs=1)

    assert past.has(output.artifact)
    assert second.result() == "a" * 5000 + "!"


def test_what_is_about_to_be_given_is_young(past: Past) -> None:
    past.run("a", single)
    output = past.client.artifact("single/make")
    past.passes(90 * DAY)
    output.held(Values(past.store, lambda _: NOTHING))
    past.gc(keep_runs=0, keep_cache=0)

    assert past.has(output.artifact)


def test_what_is_stored_once_more_is_young(past: Past) -> None:
    values = Values(past.store, lambda _: NOTHING)
    past.ledger.check()
    saved = [values.save(value, None, "it") for value in ("a" * 5000, b"b" * (2 << 20))]
    code = values.keep(b"c" * 100)
    past.passes(90 * DAY)
    for value in ("a" * 5000, b"b" * (2 << 20)):
        values.save(value, None, "it")
    values.keep(b"c" * 100)
    found = past.gc()

    assert all(map(values.is_there, saved))
    assert (found.freed, code.digest in past.objects()) == (0, True)


@pytest.mark.parametrize("text", ["a" * 5000, "a" * (2 << 20)])
def test_compressed_objects_go_and_stay_like_others(tmp_path: Path, text: str) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"), compression="zstd")
    past = Past(tmp_path / "store", store)
    past.ledger.check()
    values = Values(store, lambda _: NOTHING)
    kept, gone = values.save(text, str, "it"), values.save(text[1:], str, "it")
    past.passes(90 * DAY)
    values.save(text, str, "it")
    past.gc()

    assert past.objects() == {kept.digest + ENDING}
    assert not values.is_there(gone)


def test_a_result_that_was_resumed_stays(past: Past) -> None:
    past.run("a", loose)
    past.passes(90 * DAY)
    second = past.run("a", loose, resume="last")
    past.gc(keep_runs=1, keep_cache=0)

    assert past.runs == [second.id]
    assert second["uncached"].status == "cached"
    assert second.result() == "a not kept" * 1000


def test_what_code_names_stays(past: Past) -> None:
    values = Values(past.store, lambda _: NOTHING)
    text = values.keep(b"def scale(): ...")
    code = values.keep(json.dumps({"files": [["features.py", text.digest]]}).encode())
    past.ledger.begin(running(GOING_ON, code=code.digest, process=2**22 + 1))
    past.passes(90 * DAY)
    past.gc(keep_runs=1)
    assert past.objects() == {text.digest, code.digest}

    past.gc(keep_runs=0)
    assert past.objects() == set()


def test_a_cache_entry_that_an_expansion_names_stays(past: Past) -> None:
    past.run("a", single)
    [key] = past.entries()
    past.ledger.begin(running(GOING_ON, process=2**22 + 1))
    past.store.put(f"runs/{GOING_ON}/expansions/make.json", [json.dumps({"0": key}).encode()])
    past.gc_hard(keep_runs=1)

    assert list(past.entries()) == [key]
    assert past.dangling() == []


def test_what_a_later_version_names_stays(past: Past) -> None:
    values = Values(past.store, lambda _: NOTHING)
    later = values.save("a" * 5000, str, "it")
    past.ledger.begin(running(GOING_ON, process=2**22 + 1))
    record = json.dumps({"unknown": {"deep": [later.digest]}}).encode()
    past.store.put(f"runs/{GOING_ON}/steps/make.json", [record])
    past.gc_hard(keep_runs=1)

    assert values.is_there(later)


def test_a_checkpoint_stays_as_long_as_a_result_in_the_cache(past: Past) -> None:
    values = Values(past.store, lambda _: NOTHING)
    past.ledger.check()
    kept = values.save("a" * 5000, str, "it")
    key = f"checkpoints/ab/{'ab' * 32}"
    past.store.put(key, [json.dumps({"artifact": kept.to_data()}).encode()])
    past.passes(20 * DAY)
    past.gc()
    assert values.is_there(kept)
    past.passes(20 * DAY)
    past.gc()

    assert not values.is_there(kept)
    assert not (past.path / key).exists()


def test_what_a_killed_check_has_left_goes_when_it_is_old(past: Past) -> None:
    past.run("a")
    past.store.put("probe/0123456789abcdef", [b"tried"])
    assert past.gc().foreign == []
    past.passes(2 * DAY)

    assert past.gc().kinds["leftovers"].gone.count == 1
    assert list(past.store.keys("probe/")) == []


def test_what_was_moved_aside_and_what_writers_left_go_when_they_are_old(past: Past) -> None:
    past.run("a")
    past.store.put(f"corrupt/{'ab' * 32}", [b"damaged"])
    (past.path / "tmp" / "123-0-abcd").write_bytes(b"half")
    assert past.gc(keep_runs=0).freed == 0
    past.passes(2 * DAY)
    found = past.gc()

    assert found.kinds["leftovers"].gone.count == 2
    assert list((past.path / "tmp").iterdir()) == []


# Whose store it is.


def test_files_of_others_are_named_and_not_touched(past: Past) -> None:
    past.run("a")
    for name in FOREIGN:
        (past.path / name).parent.mkdir(parents=True, exist_ok=True)
        (past.path / name).write_text("mine")
    past.passes(90 * DAY)
    found = past.gc(keep_runs=0, keep_cache=0)

    folders = {"runs/my-folder/a": "runs/my-folder/", "data/big.csv": "data/"}
    assert found.foreign == sorted(folders.get(name, name) for name in FOREIGN)
    assert all((past.path / name).read_text() == "mine" for name in FOREIGN)


def test_a_file_of_others_in_the_folder_of_a_run_stays_there(past: Past) -> None:
    run = past.run("a")
    note = past.path / "runs" / run.id / "note.txt"
    note.write_text("mine")
    past.passes(90 * DAY)
    found = past.gc(keep_runs=0)

    assert found.foreign == [f"runs/{run.id}/note.txt"]
    assert [file.name for file in note.parent.iterdir()] == ["note.txt"]


def test_the_neighbours_of_the_default_store_are_no_foreign_files(past: Past) -> None:
    past.run("a")
    (past.path / "active").write_text("prod\n")
    (past.path / ".gitignore").write_text("*\n")

    assert past.gc().foreign == []


def test_an_empty_place_has_nothing_to_clean(past: Past) -> None:
    found = past.gc()

    assert (found.kinds, found.foreign, past.path.exists()) == ({}, [], False)


def test_a_place_that_may_be_no_store_is_left_alone(past: Past) -> None:
    past.run("a")
    (past.path / "store.json").unlink()
    with pytest.raises(CorruptArtifact, match=r"has no store\.json"):
        Client(past.stack).gc(delete=True)


def test_a_store_of_a_later_version_is_left_alone(past: Past) -> None:
    past.store.put("store.json", [b'{"version": 2, "id": "x"}'])
    with pytest.raises(StoreTooNew):
        past.gc()


# How it is asked.


@pytest.mark.parametrize("delete", [True, False])
def test_a_short_grace_is_refused_while_a_run_goes_on(past: Past, delete: bool) -> None:
    past.ledger.begin(running(GOING_ON))
    with pytest.raises(RunError, match=f"Run {GOING_ON} is running: .*1 hour") as caught:
        past.gc(grace="10m", delete=delete)
    assert caught.value.hint == "Wait for it, or type: penstock gc --grace 1h"
    assert past.gc(grace="1h", delete=delete).kept == {"running": [GOING_ON]}


@pytest.mark.parametrize("delete", [True, False])
def test_of_a_distant_store_a_day_is_the_least_while_a_run_goes_on(
    tmp_path: Path, delete: bool
) -> None:
    past = Past(tmp_path, DistantArtifactStore(path=f"{tmp_path}"))
    past.ledger.check()
    past.ledger.begin(running(GOING_ON))
    with pytest.raises(RunError, match=r"of less than 1 day is") as caught:
        past.gc(grace="2h", delete=delete)
    assert caught.value.hint == "Wait for it, or type: penstock gc --grace 1d"
    assert past.gc(grace="1d", delete=delete).kept == {"running": [GOING_ON]}


@pytest.mark.parametrize(
    "asked",
    [
        {"grace": "soon"},
        {"keep_cache": "-1d"},
        {"keep_runs": -1},
        {"keep_runs": "all"},
        {"keep_compiled": "long"},
    ],
)
def test_what_cannot_be_kept_is_an_error(past: Past, asked: dict[str, str]) -> None:
    with pytest.raises(BadArguments, match=next(iter(asked))):
        past.gc(**asked)


# What is interrupted.


@dataclass(frozen=True, kw_only=True)
class Interrupted(LocalArtifactStore):
    """Somebody pulls the plug before the deletion of this number."""

    flavor: ClassVar[str] = "interrupted"
    left: ClassVar[list[int]] = [0]

    def delete(self, key: str) -> None:
        self._count()
        super().delete(key)

    def discard(self, key: str, before: float) -> bool:
        self._count()
        return super().discard(key, before)

    def _count(self) -> None:
        self.left[0] -= 1
        if self.left[0] < 0:
            raise KeyboardInterrupt


@pytest.fixture
def interrupted(tmp_path: Path) -> Iterator[Past]:
    yield Past(tmp_path / "store", Interrupted(path=str(tmp_path / "store")))
    Interrupted.left[0] = 0


def test_a_cleaning_that_is_interrupted_anywhere_leaves_nothing_half(interrupted: Past) -> None:
    past = interrupted
    for text in ("ab", "cd"):
        past.run(text)
    past.failed("e")
    past.passes(90 * DAY)
    stops = 0
    while True:
        Interrupted.left[0] = 1
        try:
            past.gc(keep_runs=0, keep_cache=0)
            break
        except KeyboardInterrupt:
            stops += 1
        assert past.dangling() == []
        for run in past.client.runs():
            assert len(run.steps) == len([view for view in run if view.status != "pending"])

    assert stops > 20
    assert (past.runs, past.objects(), list(past.entries())) == ([], set(), [])


# Deleting a run.


def test_a_deleted_run_is_gone_and_the_cache_is_not(past: Past) -> None:
    run = past.run("a")
    assert past.client.delete(run.id[-4:]) == run.id

    assert past.client.runs() == []
    assert not (past.path / "runs" / run.id).exists()
    assert past.computed(past.run("a")) == []
    with pytest.raises(NotFound, match=run.id):
        past.client.delete(run.id)


def test_a_run_that_goes_on_is_not_deleted(past: Past) -> None:
    past.ledger.begin(running(GOING_ON))
    with pytest.raises(RunError, match="running") as caught:
        past.client.delete(GOING_ON)
    assert caught.value.hint == f"Type: penstock run cancel {GOING_ON}"


def test_a_pinned_run_is_not_deleted(past: Past) -> None:
    run = past.run("a")
    run.pin()
    with pytest.raises(RunError, match="pinned") as caught:
        past.client.delete(run.id)
    assert caught.value.hint == f"Type: penstock run pin --off {run.id}"


def test_a_run_with_a_tagged_output_is_not_deleted(past: Past) -> None:
    run = past.run("a")
    past.client.tag("chain/joined", "prod")
    with pytest.raises(RunError, match="tagged: 'chain/joined prod'") as caught:
        past.client.delete(run.id)
    assert caught.value.hint == "Type: penstock artifact tag --off chain/joined prod"


def test_a_run_that_cannot_be_read_can_be_deleted(past: Past) -> None:
    run = past.run("a")
    (past.path / "runs" / run.id / "run.json").write_text("?")
    past.client.delete(run.id)

    assert not (past.path / "runs" / run.id).exists()


def test_an_old_entry_that_cannot_be_read_goes(past: Past) -> None:
    past.ledger.check()
    past.store.put(cache_key("ab" * 32), [b"no record"])
    past.passes(90 * DAY)
    past.gc()

    assert list(past.entries()) == []
    assert Ledger(past.store).cached("ab" * 32) is None
