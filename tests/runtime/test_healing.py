"""Healing: what goes missing in the store while a run needs it is computed again."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Run,
    RunFailed,
    Stack,
    Status,
    SubprocessStepOperator,
    pipeline,
)
from penstock.errors import CorruptArtifact, NoSuchKey

WAYS = ("threads", "processes", "operator")

Body = Callable[[str], Any]


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module with the steps, in the project's folder."""
    text = Path(__file__).with_name("healing_steps.py").read_text()
    (tmp_path / "healing_steps.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("healing_steps")
    del sys.modules["healing_steps"]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


def stack(folder: str, workers: str = "threads", most: int = 1) -> Stack:
    chosen: Any = {"workers": workers, "max_workers": most, "failure": "finish"}
    return Stack(
        "here",
        orchestrator=LocalOrchestrator(**chosen),
        artifact_store=LocalArtifactStore(path=f"{folder}/store"),
        step_operators=[SubprocessStepOperator(name="apart")],
    )


def ran(folder: str, body: Body, *way: Any) -> Run[Any]:
    """The run of a pipeline with this body; one that failed is as good."""

    @pipeline(progress=True)
    def healing() -> Any:
        return body(folder)

    try:
        return healing.on(stack(folder, *way)).run()
    except RunFailed as error:
        return error.run  # type: ignore[no-any-return]


def by(way: str, *steps: Any) -> list[Any]:
    """The steps, with a step operator if that is the way."""
    return [each.with_options(step_operator="apart") if way == "operator" else each
            for each in steps]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_hit_that_is_deleted_before_it_is_used_is_computed_again(
    steps: Any, folder: str, way: str
) -> None:
    source, size = by(way, steps.source, steps.size)

    def body(folder: str) -> Any:
        raw = source(folder)
        return size.after(steps.lose.after(raw)(folder, ["source"]))(raw, folder)

    workers = "processes" if way == "processes" else "threads"
    assert ran(folder, source, workers).status is Status.COMPLETED
    run = ran(folder, body, workers)
    assert run.result() == 12000
    assert steps.times("source", folder) == 2
    assert steps.times("size", folder) == 1


@pytest.mark.parametrize("way", WAYS)
def test_what_this_run_has_computed_is_computed_again(steps: Any, folder: str, way: str) -> None:
    fresh = steps.source.with_options(cache=False)
    source, size = by(way, fresh, steps.size)

    def body(folder: str) -> Any:
        raw = source(folder)
        return size.after(steps.lose.after(raw)(folder, ["source"]))(raw, folder)

    run = ran(folder, body, "processes" if way == "processes" else "threads")
    assert run.result() == 12000
    assert steps.times("source", folder) == 2


def test_what_was_damaged_is_computed_again(steps: Any, folder: str) -> None:
    def body(folder: str) -> Any:
        raw = steps.source(folder)
        return steps.size.after(steps.damage.after(raw)(folder, "source"))(raw, folder)

    run = ran(folder, body)
    assert run.result() == 12000
    assert run.status is Status.COMPLETED


def test_what_it_was_made_of_is_computed_again_if_that_is_gone_too(steps: Any, folder: str) -> None:
    def body(folder: str) -> Any:
        fine = steps.refined(steps.source(folder), folder)
        gone = steps.lose.after(fine)(folder, ["refined", "source"])
        return steps.size.after(gone)(fine, folder)

    for _ in range(2):
        run = ran(folder, body)
        assert run.result() == 14006
        assert run.status is Status.COMPLETED
    assert (steps.times("source", folder), steps.times("refined", folder)) == (3, 3)


def test_several_that_miss_it_at_once_have_it_computed_once(steps: Any, folder: str) -> None:
    def body(folder: str) -> Any:
        raw = steps.source(folder)
        gone = steps.lose.after(raw)(folder, ["source"])
        return [steps.size.after(gone)(raw, folder, number) for number in range(6)]

    run = ran(folder, body, "threads", 6)
    assert run.result() == [12000] * 6
    assert steps.times("source", folder) == 2


def test_the_run_says_what_is_computed_again_and_why(
    steps: Any, folder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def body(folder: str) -> Any:
        raw = steps.source(folder)
        return steps.size.after(steps.lose.after(raw)(folder, ["source"]))(raw, folder)

    ran(folder, body)
    told = "source is computed again: what it gave is gone from the store, and size needs it"
    assert capfd.readouterr().err.count(told) == 1


def test_a_hit_that_is_computed_again_is_a_step_of_this_run(steps: Any, folder: str) -> None:
    ran(folder, steps.source)

    def body(folder: str) -> Any:
        raw = steps.source(folder)
        return steps.size.after(steps.lose(folder, ["source"]))(raw, folder)

    run = ran(folder, body)
    again = Client(stack(folder)).run(run.id)
    assert (run["source"].status, again["source"].status) == (Status.COMPLETED, Status.COMPLETED)
    assert again["source"].record.why == "the object of output 'output' was deleted"


def test_after_healing_the_next_run_finds_everything_in_the_cache(steps: Any, folder: str) -> None:
    def body(folder: str) -> Any:
        raw = steps.source(folder)
        return steps.size.after(steps.lose.after(raw)(folder, ["source"]))(raw, folder)

    ran(folder, body)
    run = ran(folder, steps.source)
    assert run["source"].status is Status.CACHED
    assert run.result() == steps.long("source")


def test_no_retry_is_used_up_by_it(steps: Any, folder: str) -> None:
    def body(folder: str) -> Any:
        raw = steps.source(folder)
        return steps.greedy.after(steps.lose.after(raw)(folder, ["source"]))(
            raw, folder, ["source"]
        )

    run = ran(folder, body)
    assert run.result() == 12000
    assert run["greedy"].record.attempt == 2
    assert steps.times("source", folder) == 3


def test_a_hit_that_gives_something_else_now_goes_on_with_that(steps: Any, folder: str) -> None:
    ran(folder, steps.whimsical)

    def body(folder: str) -> Any:
        raw = steps.whimsical(folder)
        return raw, steps.head.after(steps.lose(folder, ["whim1."]))(raw)

    run = ran(folder, body)
    assert run.result() == (steps.long("whim2."), "whim2")
    assert Client(stack(folder)).run(run.id).result() == run.result()
    assert ran(folder, steps.whimsical).result() == steps.long("whim2.")


def test_workers_go_on_with_what_it_gives_now(steps: Any, folder: str) -> None:
    ran(folder, steps.whimsical)

    def body(folder: str) -> Any:
        raw = steps.whimsical(folder)
        first = steps.head.after(steps.lose(folder, ["whim1."]))(raw)
        return first, steps.head.after(first)(raw)

    assert ran(folder, body, "processes").result() == ("whim2", "whim2")


@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_what_this_run_has_a_record_of_does_not_become_something_else(
    steps: Any, folder: str, workers: str
) -> None:
    def body(folder: str) -> Any:
        raw = steps.whimsical(folder)
        return steps.head.after(steps.lose.after(raw)(folder, ["whim1."]))(raw)

    run = ran(folder, body, workers)
    assert run.status is Status.FAILED
    failure = run["head"].record.failure
    assert failure is not None
    assert failure.kind == "NoSuchKey"
    assert "Run the pipeline again" in failure.message


def test_what_another_step_has_seen_does_not_become_something_else(steps: Any, folder: str) -> None:
    ran(folder, steps.whimsical)

    def body(folder: str) -> Any:
        raw = steps.whimsical(folder)
        seen = steps.head(raw)
        return seen, steps.head.after(steps.lose.after(seen)(folder, ["whim1."]))(raw)

    run = ran(folder, body)
    assert run.status is Status.FAILED
    assert run["head"].output.load() == "whim1"
    assert run["head-2"].status is Status.FAILED


def test_what_cannot_be_computed_again_fails_what_needs_it(
    steps: Any, folder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def body(folder: str) -> Any:
        raw = steps.stubborn(folder)
        return steps.size.after(steps.lose.after(raw)(folder, ["stubborn"]))(raw, folder)

    run = ran(folder, body)
    assert run.status is Status.FAILED
    assert (run["stubborn"].status, run["size"].status) == (Status.COMPLETED, Status.FAILED)
    assert "stubborn has failed now: ValueError: once is enough" in capfd.readouterr().err


def test_a_store_that_loses_everything_at_once_is_not_fed_for_ever(steps: Any, folder: str) -> None:
    class Leaky(LocalArtifactStore):
        flavor = "leaky"

        def get(self, key: str) -> Any:
            found = super().get(key)
            if key.startswith("objects/") and b"source" * 50 in bytes(found):
                self.delete(key)
                return super().get(key)
            return found

    @pipeline(progress=False)
    def healing() -> Any:
        return steps.size(steps.source(folder), folder)

    leaky = Stack(
        "leaky",
        orchestrator=LocalOrchestrator(max_workers=1),
        artifact_store=Leaky(path=f"{folder}/store"),
    )
    with pytest.raises(RunFailed) as caught:
        healing.on(leaky).run()
    assert isinstance(caught.value.__cause__, NoSuchKey)
    assert steps.times("source", folder) == 1 + 3


def test_a_value_that_the_run_was_given_cannot_be_healed(steps: Any, folder: str) -> None:
    @pipeline(progress=False)
    def healing(value: Any) -> Any:
        return steps.shape.after(steps.lose(folder, ["given "]))(value)

    with pytest.raises(RunFailed) as caught:
        healing.on(stack(folder)).run(np.frombuffer(steps.long("given "), np.uint8))
    assert isinstance(caught.value.__cause__, NoSuchKey)
    assert "A value given to the run" in str(caught.value.__cause__)


def test_an_artifact_of_another_run_cannot_be_healed(steps: Any, folder: str) -> None:
    other = ran(folder, steps.source)

    @pipeline(progress=False)
    def healing(value: Any) -> Any:
        return steps.size.after(steps.lose(folder, ["source"]))(value, folder)

    with pytest.raises(RunFailed) as caught:
        healing.on(stack(folder)).run(other["source"].output)
    assert f"of step source in run {other.id}" in str(caught.value.__cause__)


@pytest.mark.parametrize("workers", ["threads", "processes"])
@pytest.mark.parametrize("rounds", [1, 2])
def test_the_list_of_a_map_is_made_again(
    steps: Any, folder: str, workers: str, rounds: int
) -> None:
    def body(folder: str) -> Any:
        pieces = steps.listed(folder)
        gone = steps.lose.after(pieces)(folder, ["piece0.", "piece1.", "piece2."])
        return steps.one_size.after(gone).map(pieces)

    for _ in range(rounds):
        run = ran(folder, body, workers)
        assert run.status is Status.COMPLETED
    assert run.result() == [14000] * 3


@pytest.mark.parametrize("marks", [["piece1."], ["piece0.", "piece1.", "piece2."], ["twice"]])
@pytest.mark.parametrize("rounds", [1, 2])
def test_the_items_of_a_map_are_made_again(
    steps: Any, folder: str, marks: list[str], rounds: int
) -> None:
    def body(folder: str) -> Any:
        twice = steps.doubled.map(steps.listed(folder), folder=folder)
        return steps.sizes.after(steps.lose.after(twice)(folder, marks))(twice)

    for _ in range(rounds):
        run = ran(folder, body)
        assert run.result() == [24000] * 3
        assert run.status is Status.COMPLETED


def test_a_condition_is_made_again(steps: Any, folder: str) -> None:
    def body(folder: str) -> Any:
        word = steps.long_word(folder)
        gone = steps.lose.after(word)(folder, ["word"])
        return steps.size.when(word).after(gone)(b"abc", folder)

    assert ran(folder, body).result() == 3
    assert steps.times("long_word", folder) == 2


def test_the_records_of_a_healed_run_are_what_its_seal_says(steps: Any, folder: str) -> None:
    def body(folder: str) -> Any:
        raw = steps.source(folder)
        return steps.size.after(steps.lose.after(raw)(folder, ["source"]))(raw, folder)

    run = ran(folder, body)
    ledger = Client(stack(folder)).run(run.id)._ledger
    sealed = ledger.sealed(run.id)
    assert sealed is not None
    assert sealed.steps == {each: ledger.step_digest(run.id, each) for each in sealed.steps}
    assert sealed.steps.keys() == {"source", "lose", "size"}


def test_an_error_of_the_same_kind_of_the_steps_own_heals_nothing(steps: Any, folder: str) -> None:
    @pipeline(progress=False)
    def failing() -> Any:
        return steps.raising(steps.source(folder))

    with pytest.raises(RunFailed) as caught:
        failing.on(stack(folder)).run()
    assert isinstance(caught.value.__cause__, CorruptArtifact)
    assert steps.times("source", folder) == 1
