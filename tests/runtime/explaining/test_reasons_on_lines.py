"""What the lines of a run say of why a step ran again."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, Stack, pipeline, step
from penstock.model.records import Status, StepRun
from penstock.runtime import observer
from penstock.runtime.explaining import reasons
from penstock.runtime.explaining.change import Change, Explanation
from penstock.runtime.explaining.reasons import Reasons

Err = Callable[[], str]

DONE = StepRun("run", "train", "train:train", Status.COMPLETED, "key")


@step
def load(n: int) -> list[int]:
    return list(range(n))


@step
def train(rows: list[int], lr: float) -> float:
    return sum(rows) * lr


@pipeline
def training(n: int = 3, lr: float = 0.1) -> float:
    return train(load(n), lr)


@step
def plus(n: int, more: int) -> int:
    return n + more


@pipeline
def adding(more: int) -> list[int]:
    return [plus(n, more=more) for n in range(reasons.MOST + 10)]


@pytest.fixture
def err(capsys: pytest.CaptureFixture[str]) -> Err:
    return lambda: capsys.readouterr().err


def said(text: str) -> list[tuple[str, str]]:
    """Each step that has run, and what its line says of why."""
    return re.findall(r"^  (\S+) +\d+\.\d+ s *(.*)$", text, re.MULTILINE)


def test_a_first_run_gives_no_reasons(err: Err) -> None:
    training.run()
    assert said(err()) == [("load", ""), ("train", "")]


def test_a_parameter_is_told_in_a_word(err: Err) -> None:
    training.run()
    err()
    training.run(lr=0.05)
    assert said(err()) == [("train", "lr 0.1 → 0.05")]


def test_an_input_is_told_with_the_step_that_made_it(err: Err) -> None:
    training.run()
    err()
    training.run(n=4)
    assert said(err()) == [("load", "n 3 → 4"), ("train", "input rows (of load) changed")]


def test_several_changes_are_the_first_and_a_number(err: Err) -> None:
    training.run()
    err()
    training.run(n=4, lr=0.2)
    assert said(err())[1] == ("train", "lr 0.1 → 0.2 and 1 more")


def test_who_has_asked_for_it_needs_no_reason(err: Err) -> None:
    training.run()
    err()
    training.with_options(cache=False).run(lr=0.2)
    training.with_options(refresh=True).run(n=5)
    assert [reason for _, reason in said(err())] == ["", "", "", ""]


def test_so_many_steps_are_explained_and_no_more(err: Err) -> None:
    adding.run(1)
    err()
    adding.run(2)
    told = [reason for _, reason in said(err())]
    assert told.count("more 1 → 2") == reasons.MOST
    assert told.count("") == 10


class Ready:
    """Knows why."""

    def of(self, step: StepRun) -> Explanation:
        return Explanation(step.call, step.status, "run", (Change("parameter", words="n 1 → 2"),))


class Broken:
    """Has a defect."""

    def of(self, step: StepRun) -> Explanation:
        raise ZeroDivisionError


def test_a_store_that_answers_too_slowly_is_asked_no_more() -> None:
    asked = Reasons(Ready(), seconds=1e-9)
    assert [asked(DONE), asked(DONE)] == ["n 1 → 2", ""]


def test_what_the_record_says_is_told_however_slow_the_store_is() -> None:
    reason = Reasons(Ready(), seconds=0)
    assert reason(replace(DONE, why="the object of output 'a' was deleted")) != ""
    assert reason(replace(DONE, why="the cache is off")) == ""


def test_a_defect_while_explaining_is_a_missing_word() -> None:
    assert Reasons(Broken())(DONE) == ""


def test_a_result_that_cannot_be_used_is_told_of_all_of_them(err: Err) -> None:
    @step
    def big(n: int) -> bytes:
        return bytes([n]) * 10_000

    @pipeline(name="many")
    def many() -> list[bytes]:
        return [big(n) for n in range(reasons.MOST + 10)]

    many.run()
    for folder in Path(".penstock/objects").iterdir():
        for file in folder.iterdir():
            if file.stat().st_size == 10_000:
                file.unlink()
    err()
    many.run()
    assert [reason for _, reason in said(err())] == [
        "the object of output 'output' was deleted"
    ] * (reasons.MOST + 10)


def test_what_cannot_be_explained_is_a_missing_word(err: Err) -> None:
    run = training.run()
    for name in ("run.json", "steps/train.json"):
        file = Path(".penstock/runs", run.id, name)
        file.unlink()
        file.mkdir()
    err()
    assert training.run(lr=0.2).result() == pytest.approx(0.6)
    text = err()
    assert said(text) == [("train", "")]
    assert "Traceback" not in text
    assert "note" not in text


def test_a_secret_is_masked(
    stack: Callable[..., Stack], err: Err, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t-token")

    @step(secrets=["TOKEN"])
    def use(word: str) -> str:
        return word

    @pipeline(name="secret")
    def secret(word: str) -> str:
        return use(word)

    secret.run("before")
    monkeypatch.setenv("TOKEN", "before")
    err()
    secret.run("after")
    assert said(err()) == [("use", 'word "***" → "after"')]


def test_workers_write_down_why_the_cache_was_of_no_use(stack: Callable[..., Stack]) -> None:
    here = stack(workers="processes")
    training.on(here).run()
    shutil.rmtree("store/objects", ignore_errors=True)
    run = training.on(here).with_options(cache=False, progress=False).run()
    assert {view.record.why for view in run} == {"the cache is off"}
    read = Client(here).run(run.id)
    assert {view.record.why for view in read} == {"the cache is off"}


def test_who_watches_a_run_is_told_the_same(err: Err) -> None:
    training.run()
    run = training.run(lr=0.05)
    err()
    told = observer.on_stderr()
    watching = Client().run(run.id).watching(told)
    watching.begin()
    watching.look()
    assert said(err()) == [("train", "lr 0.1 → 0.05")]


def test_who_does_not_look_loads_nothing(python: Any, tmp_path: Path) -> None:
    (tmp_path / "quiet.py").write_text(
        "import sys\n"
        "from penstock import pipeline, step\n"
        "@step\n"
        "def one(n: int) -> int:\n"
        "    return n\n"
        "@pipeline(progress=False)\n"
        "def quiet(n: int) -> int:\n"
        "    return one(n)\n"
        "if __name__ == '__main__':\n"
        "    quiet.run(1)\n"
        "    quiet.run(2)\n"
        "    print([name for name in sys.modules if 'explaining' in name or name == 'difflib'])\n"
    )
    assert python("quiet.py").stdout == "[]\n"
