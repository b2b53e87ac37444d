"""`penstock run why` and `penstock run diff`."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.why import STEP


@pytest.fixture
def again(trained: Any, train: Any) -> Any:
    """A second run, with another parameter."""
    return train.run(count=4)


def test_a_run_says_of_each_step_why_it_ran(penstock: Any, trained: Any, again: Any) -> None:
    lines = penstock("run", "why", "last").out.splitlines()
    assert [line.split(maxsplit=2) for line in lines[:4]] == [
        ["STEP", "STATUS", "WHY"],
        ["load", "completed", "count 3 → 4"],
        ["split", "completed", "input rows (of load) changed"],
        ["report", "completed", "input rows (of split) changed"],
    ]
    assert lines[5:] == [f"taken from the cache: run {trained.id}: square.0, square.1"]


def test_a_step_says_all_that_is_known(penstock: Any, trained: Any, again: Any) -> None:
    said = penstock("run", "why", "last", "report").out
    assert said.splitlines() == [
        f"report of run {again.id}: completed, beside run {trained.id}",
        "  input rows (of split) changed; split: input rows (of load) changed",
    ]


def test_the_items_of_a_map_are_told_each(penstock: Any, trained: Any, again: Any) -> None:
    said = penstock("run", "why", again.id, "square").out
    assert said == f"taken from the cache: run {trained.id}: square.0, square.1\n"


def test_as_json_every_change_has_its_kind(penstock: Any, trained: Any, again: Any) -> None:
    data = penstock("run", "why", "last", "load", "--json").data
    (found,) = data["steps"]
    assert tuple(found) == STEP
    assert (data["run"], found["against"]) == (again.id, trained.id)
    assert found["changes"] == [
        {"kind": "parameter", "name": "count", "old": "3", "new": "4", "where": None,
         "diff": None, "words": "count 3 → 4", "because": None},
    ]  # fmt: skip


def test_two_runs_are_shown_beside_each_other(penstock: Any, trained: Any, again: Any) -> None:
    said = penstock("run", "diff", trained.id, "last").out
    lines = [line.split() for line in said.splitlines()]
    assert [lines[0][0], lines[1][0]] == [trained.id, again.id]
    assert "Parameters:\n  count 3 → 4\n" in said
    assert "Packages" not in said
    rows = {line[0]: line[1:] for line in lines[lines.index([]) :] if len(line) > 4}
    assert rows["load"][-5:] == ["different", "count", "3", "→", "4"]
    assert "completed → cached" in said
    assert "same" in rows["square.0"]


def test_the_difference_as_json(penstock: Any, trained: Any, again: Any) -> None:
    data = penstock("run", "diff", trained.id, again.id, "--json").data
    assert data["runs"] == [trained.id, again.id]
    assert [change["words"] for change in data["parameters"]] == ["count 3 → 4"]
    assert (data["code"], data["packages"]) == ([], [])
    steps = {step["step"]: step for step in data["steps"]}
    assert steps["square.0"]["same_key"] is True
    assert steps["square.0"]["same_outputs"] is True
    assert steps["square.0"]["statuses"] == ["completed", "cached"]
    assert (steps["load"]["same_key"], steps["load"]["same_outputs"]) == (False, False)
    assert [len(step["seconds"]) for step in data["steps"]] == [2] * 5


def test_runs_of_two_pipelines_have_steps_that_only_one_of_them_has(
    penstock: Any, trained: Any, pickled: Any
) -> None:
    data = penstock("run", "diff", trained.id, pickled.id, "--json").data
    steps = {step["step"]: step for step in data["steps"]}
    assert steps["strange"]["statuses"] == [None, "completed"]
    assert steps["load"]["statuses"] == ["completed", None]
    assert steps["load"]["same_key"] is None
    assert "completed → not in it" in penstock("run", "diff", trained.id, pickled.id).out


def test_the_steps_of_a_failed_run_are_explained(penstock: Any, trained: Any, failed: Any) -> None:
    said = penstock("run", "why", failed.id)
    assert "broken  failed" in said.out
    assert penstock("run", "diff", trained.id, failed.id).code == 0


@pytest.mark.parametrize("words", [["why", "zzzz"], ["diff", "last", "zzzz"]])
def test_a_run_that_is_not_there_is_one_message(
    penstock: Any, trained: Any, words: list[str]
) -> None:
    said = penstock("run", *words)
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith("Error: There is no run 'zzzz' in ")


def test_a_run_that_was_cleaned_is_one_message(penstock: Any, trained: Any) -> None:
    shutil.rmtree(f".penstock/runs/{trained.id}")
    said = penstock("run", "why", trained.id)
    assert said.code == 4
    assert said.err.startswith(f"Error: There is no run {trained.id!r} in ")


def test_a_step_that_is_not_there_is_one_message(penstock: Any, trained: Any) -> None:
    said = penstock("run", "why", "last", "lode")
    assert said.code == 4
    assert "has no step 'lode'" in said.err
    assert "Did you mean 'load'?" in said.err


def foreign(file: Path) -> None:
    file.write_text("hello")


def newer(file: Path) -> None:
    """As a later version of penstock may write it."""
    first, *rest = file.read_text().splitlines()
    data = json.loads(first) | {"status": "teleported", "colour": "blue"}
    file.write_text("\n".join([json.dumps(data), *rest]))


@pytest.mark.parametrize("damage", [foreign, newer])
@pytest.mark.parametrize(
    "words", [["why", "last"], ["why", "last", "load"], ["diff", "last", "last"]]
)
def test_a_record_that_cannot_be_read_is_one_message(
    penstock: Any, trained: Any, words: list[str], damage: Any
) -> None:
    damage(Path(f".penstock/runs/{trained.id}/steps/load.json"))
    said = penstock("run", *words)
    assert said.code == 5
    assert f"The record runs/{trained.id}/steps/load.json in " in said.err
    assert len(said.err.splitlines()) <= 2


def test_a_plan_that_is_gone_is_one_message(penstock: Any, trained: Any, again: Any) -> None:
    plan = again.record.plan
    Path(".penstock/objects", plan[:2], plan).unlink()
    said = penstock("run", "why", "last")
    assert said.code == 5
    assert f"The plan of run {again.id}" in said.err


def test_looking_writes_nothing(penstock: Any, trained: Any, again: Any, project: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}
    penstock("run", "why", "last")
    penstock("run", "diff", trained.id, "last")
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*")} == before
