"""The report of a run: what is in it, what is not, and that nothing out of a store is markup."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from penstock import Client, Retry, RunFailed, context, pipeline, step
from penstock.errors import PenstockError
from penstock.model.records import Failure, Status, StepRun
from penstock.runtime import report
from penstock.runtime.ledger import Ledger
from penstock.runtime.runid import new_run_id

HOSTILE = "</style></pre></title><script>alert('1')</script>\"&\x00\x1b[31m\u202e"
OPENED: list[str] = []
TEXT = {"p", "/p", "pre", "/pre"}


class Split(NamedTuple):
    train: np.ndarray
    test: np.ndarray


class Opened:
    """Says so when it is unpickled."""

    def __setstate__(self, state: object) -> None:
        OPENED.append("unpickled")

    def __getstate__(self) -> object:
        return {"password": "a pickle's own bytes"}


@step
def load(rows: int) -> np.ndarray:
    print("\x1b[31mred\x1b[0m and \x07 bell")
    context().log_metadata(source="the moon")
    return np.zeros((rows, 3))


@step
def split(rows: np.ndarray) -> Split:
    return Split(rows[1:], rows[:1])


@step
def closed() -> Opened:
    return Opened()


@step(retries=Retry(times=1, delay=0))
def broken(rows: np.ndarray, limit: float) -> int:
    raise ValueError(f"more than {limit}")


@step
def wordy() -> str:
    print("begin")
    print("x" * (2 * report.EDGE))
    print("end")
    return "y" * 100_000


@pipeline(progress=False)
def training(rows: int = 1000) -> None:
    split(load(rows))
    closed()


@pipeline(progress=False)
def failing() -> None:
    broken(load(3), 0.5)


@pipeline(progress=False)
def talking() -> None:
    wordy()


def page_of(run: Any) -> str:
    return report.write(run, Path("report.html")).read_text("utf-8")


def text_of(page: str) -> str:
    """What one reads."""
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(text).split())


def elements(page: str) -> set[str]:
    return set(re.findall(r"<(/?[a-z0-9]+|!\S+)", page))


def failed() -> Any:
    with pytest.raises(RunFailed) as caught:
        failing.run()
    return caught.value.run


def test_it_says_what_there_is_to_see() -> None:
    run = training.run()
    page = text_of(page_of(run))
    for said in (run.id, "completed", "the default", "training: 3 steps", "rows", "1000",
                 "load/output", "shape 999 × 3, dtype float64", "npy/1", "the moon", "penstock",
                 "and \\x07 bell"):  # fmt: skip
        assert said in page, said


def test_nothing_is_unpickled_or_quoted_from_a_pickle() -> None:
    OPENED.clear()
    page = page_of(training.run())
    assert "not opened: loading it could run code" in page
    assert "a pickle's own bytes" not in page
    assert OPENED == []


def test_colours_of_a_log_are_dropped() -> None:
    page = page_of(training.run())
    assert "red and" in page
    assert "[31m" not in page


def test_a_failure_is_open_and_told_once() -> None:
    page = page_of(failed())
    assert re.search(r"<details open><summary>broken", page)
    _, details = page.split("<h2>Steps</h2>")
    assert details.count("ValueError: more than 0.5") == 2  # at each attempt
    assert "failed (attempt 2)" in text_of(page)


def test_a_failure_is_told_if_the_log_is_gone() -> None:
    run = failed()
    for piece in Path(".penstock").rglob("logs/broken/*"):
        piece.unlink()
    assert page_of(Client().run(run.id)).count("Traceback (most recent call last)") == 1


def test_a_cached_step_says_where_from() -> None:
    first = training.run()
    page = text_of(page_of(training.run()))
    assert f"cached from {first.id}" in page


def test_of_long_logs_and_values_a_part_is_shown() -> None:
    page = page_of(talking.run())
    assert len(page) < 2 * report.EDGE + 40_000
    assert re.search(r"begin\nx+\n\[\d+ characters are left out\]\nx+\nend", page)
    assert re.search(rf">y{{{report.SPOKEN}}}…<", page)


def test_many_logs_are_only_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "ALL", 10)
    run = failed()
    page = page_of(run)
    assert "bell" in page
    assert f"Type: penstock run logs {run.id} broken" in page


def test_a_large_output_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "LOOKED_INTO", 100)
    run = training.run()
    assert f"penstock artifact show {run.id}/load/output" in page_of(run)


def test_what_is_gone_or_corrupt_is_said() -> None:
    run = training.run()
    objects = {name: Path(f".penstock/objects/{digest[:2]}/{digest}")
               for name, digest in digests(run).items()}  # fmt: skip
    objects["output"].unlink()
    objects["train"].chmod(0o644)
    objects["train"].write_bytes(b"something else")
    page = text_of(page_of(Client().run(run.id)))
    assert "is gone from the store" in page
    assert "is not what its digest says" in page


def test_a_record_that_cannot_be_read_is_said_in_its_place() -> None:
    run = training.run()
    record = Path(f".penstock/runs/{run.id}/steps/split.json")
    record.chmod(0o644)
    record.write_bytes(b"{")
    page = text_of(page_of(Client().run(run.id)))
    assert "split · unreadable The record runs/" in page
    assert "cannot be read" in page
    assert "shape 1000 × 3" in page


def test_without_its_plan_a_run_has_no_lines() -> None:
    run = training.run()
    Path(f".penstock/objects/{run.record.plan[:2]}/{run.record.plan}").unlink()
    page = page_of(Client().run(run.id))
    assert "What waits for what is not known: " in page
    assert 'class="wire"' not in page
    assert "shape 1000 × 3" in page


def test_a_plan_that_is_none_is_said() -> None:
    run = training.run()
    part = run._values.keep(b'{"calls": [["load", 0, {"rows": 7}, []]]}')
    page = page_of(planted(run, plan=part.digest, calls=("load",), hits={}))
    assert "What waits for what is not known: " in page


def test_nothing_out_of_a_store_gets_out_of_its_text() -> None:
    run = failed()
    calm = page_of(planted(run, pipeline="calm"))
    page = page_of(
        planted(
            run, pipeline=HOSTILE, stack=HOSTILE, stack_origin=HOSTILE, orchestrator=HOSTILE,
            user=HOSTILE, host=HOSTILE, commit=HOSTILE, parameters={HOSTILE: HOSTILE},
            versions={HOSTILE: HOSTILE}, calls=("load", "broken", HOSTILE),
        )
    )  # fmt: skip
    assert elements(page) - elements(calm) <= TEXT
    assert page.count("alert") > 10
    assert not re.search("[\x00\x1b\u202e]", page)


def test_nothing_out_of_a_step_gets_out_of_its_text() -> None:
    run = training.run()
    fresh = planted(run, calls=("load",), hits={}, plan=run.record.plan)
    failure = Failure(HOSTILE, HOSTILE, HOSTILE)
    fresh._ledger.attempt(
        StepRun(fresh.id, "load", HOSTILE, Status.FAILED, started=1.0, failure=failure,
                outputs={HOSTILE: run["load"].output.artifact}, metadata={HOSTILE: HOSTILE}),
        "1",
    )  # fmt: skip
    fresh._ledger.store.put(f"runs/{fresh.id}/logs/load/1-000000", [HOSTILE.encode()])
    page = page_of(fresh)
    assert elements(page) - elements(page_of(run)) <= TEXT
    assert page.count("alert") >= 6


def test_it_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = page_of(training.run())
    assert "default-src 'none'" in page
    assert not {"script", "link", "img", "iframe", "object"} & elements(page)
    assert not re.search(r"\bon\w+=|url\(|src=|href=|@import", page)


def test_it_replaces_an_earlier_one() -> None:
    Path("report.html").write_text("old")
    assert page_of(training.run()).startswith("<!DOCTYPE html>")


def test_a_report_that_fails_halfway_leaves_the_earlier_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = training.run()
    Path("report.html").write_text("old")
    object.__setattr__(run.record, "versions", None)
    with pytest.raises(AttributeError):
        report.write(run, Path("report.html"))
    assert Path("report.html").read_text() == "old"
    assert [path.name for path in Path().iterdir() if path.name.startswith(".penstock-")] == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nowhere/report.html", "No such file or directory.\nType: mkdir -p nowhere"),
        (".", "Is a directory"),
        ("/dev/null", "something else than a file"),
    ],
)
def test_a_place_that_does_not_take_it_is_one_clear_error(path: str, why: str) -> None:
    with pytest.raises(PenstockError) as caught:
        report.write(training.run(), Path(path))
    assert f"The report {path} cannot be written: " in str(caught.value)
    assert why in str(caught.value)


def planted(run: Any, **changes: Any) -> Any:
    """A run like this one, whose record says something else."""
    ledger: Ledger = run._ledger
    record = replace(run.record, run=new_run_id(), **changes)
    ledger.begin(record)
    return Client().run(record.run)


def digests(run: Any) -> dict[str, str]:
    """Of the outputs that are objects, by name."""
    records = Path(f".penstock/runs/{run.id}/steps").glob("*.json")
    firsts = [json.loads(path.read_bytes().split(b"\n")[0]) for path in records]
    return {
        name: item["digest"]
        for first in firsts
        for name, item in first["outputs"].items()
        if item["size"] > 4096
    }
