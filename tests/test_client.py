"""The client: what a user asks of stacks, runs and artifacts from Python."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Run,
    RunFailed,
    Stack,
    pipeline,
    step,
)
from penstock.errors import NameTaken, NotFound, UnknownStack


@step
def split(value: int) -> tuple[Annotated[int, "train"], Annotated[int, "test"]]:
    return value, value + 1


@step
def fit(value: int) -> int:
    if value < 0:
        raise ValueError("no")
    return value * 10


@pipeline(progress=False)
def training(value: int = 1) -> Any:
    train, _test = split(value)
    return fit.map([train, value]), train


@pipeline(progress=False)
def scoring(value: int) -> int:
    return fit(value)


def mine(name: str = "mine", path: str = "elsewhere", **options: Any) -> Stack:
    return Stack(
        name,
        orchestrator=LocalOrchestrator(name="four", max_workers=4, **options),
        artifact_store=LocalArtifactStore(name="there", path=path),
    )


# Stacks.


def test_without_a_file_the_active_stack_is_the_default_one(tmp_path: Path) -> None:
    stack = Client().active_stack
    assert (stack.name, stack.orchestrator.name, stack.artifact_store.name) == ("default",) * 3
    assert stack.artifact_store.path == str(tmp_path / ".penstock")
    assert stack.origin == "the default"


def test_the_client_can_be_imported_from_its_own_module(tmp_path: Path) -> None:
    from penstock.client import Client as Same

    assert Same is Client


def test_a_registered_stack_can_be_chosen_by_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    client.register(mine())
    monkeypatch.setenv("PENSTOCK_STACK", "mine")
    stack = client.active_stack
    assert (stack.name, stack.orchestrator.name, stack.artifact_store.name) == (
        "mine", "four", "there",
    )  # fmt: skip
    assert stack.artifact_store.path == str(tmp_path / "elsewhere")
    assert stack.origin == "PENSTOCK_STACK"
    run = training.run()
    assert run.stack == "mine"
    assert (tmp_path / "elsewhere" / "runs" / run.id).is_dir()


def test_a_stack_given_in_code_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "missing")
    run = training.on(mine()).run()
    assert (run.stack, run.record.stack_origin) == ("mine", "given to on()")


def test_a_stack_is_looked_up_when_the_run_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = training.on("mine")
    with pytest.raises(UnknownStack) as caught:
        chosen.run()
    assert str(caught.value).startswith(
        "There is no stack 'mine' (given to on()). Stacks: 'default'."
    )
    Client().register(mine())
    assert chosen.run().stack == "mine"


def test_an_unknown_stack_in_the_variable_is_told_with_its_origin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "defalt")
    with pytest.raises(UnknownStack) as caught:
        training.run()
    assert str(caught.value) == (
        "There is no stack 'defalt' (PENSTOCK_STACK). Stacks: 'default'.\n"
        "Did you mean 'default'? Type: export PENSTOCK_STACK=default"
    )


def test_registering_the_same_stack_again_is_silent() -> None:
    client = Client()
    client.register(mine())
    client.register(mine())
    assert set(client.stacks) == {"default", "mine"}


def test_registering_another_stack_under_a_taken_name_shows_both() -> None:
    client = Client()
    client.register(mine())
    with pytest.raises(NameTaken) as caught:
        client.register(mine(path="another"))
    text = str(caught.value)
    assert "The stack name 'mine' is taken." in text
    assert text.index("/elsewhere'") < text.index("path='another'")


def test_stacks_can_be_listed() -> None:
    Client().register(mine())
    stacks = Client().stacks
    assert {name: spec.orchestrator for name, spec in stacks.items()} == {
        "default": "default", "mine": "four",
    }  # fmt: skip


# Runs.


def test_looking_writes_nothing(tmp_path: Path) -> None:
    assert Client().runs() == []
    assert Client().artifacts() == []
    with pytest.raises(NotFound):
        Client().run("last")
    assert list(tmp_path.iterdir()) == []


def test_runs_are_listed_newest_first() -> None:
    ids = [training.run(value).id for value in range(4)]
    scored = scoring.run(1).id
    client = Client()
    assert [run.id for run in client.runs()] == [scored, *ids[::-1]]
    assert [run.id for run in client.runs(pipeline="training", limit=2)] == ids[:1:-1]
    assert client.runs(user="nobody-here") == []


def test_last_is_the_newest_run() -> None:
    training.run()
    run = scoring.run(1)
    assert Client().run("last").id == run.id


@pytest.mark.parametrize("part", [slice(None), slice(-9, None), slice(-4, None)])
def test_a_run_is_found_by_its_id_or_a_tail_of_it(part: slice) -> None:
    run = training.run()
    assert Client().run(run.id[part]).id == run.id


def test_a_tail_that_fits_several_runs_is_not_enough() -> None:
    runs = [training.run(value) for value in range(33)]  # the alphabet has 32 letters
    ends = [run.id[-1] for run in runs]
    letter = next(letter for letter in ends if ends.count(letter) > 1)
    with pytest.raises(NotFound) as caught:
        Client().run(letter)
    assert f"runs end in {letter!r}: " in str(caught.value)
    for run in runs:
        assert (run.id in str(caught.value)) is (run.id[-1] == letter)


def test_an_unknown_run_says_where_it_was_looked_for(tmp_path: Path) -> None:
    training.run()
    with pytest.raises(NotFound) as caught:
        Client().run("zzzz-zzzz")
    assert str(caught.value).startswith(f"There is no run 'zzzz-zzzz' in {tmp_path / '.penstock'}.")


def both_views(make: Callable[[], Run[Any]]) -> list[Run[Any]]:
    """A run as `run()` returned it, and as the store has it."""
    run = make()
    return [run, Client().run(run.id)]


def test_a_run_read_from_the_store_is_as_it_was_returned() -> None:
    here, read = both_views(lambda: training.run(3))
    assert read.result() == here.result() == ([30, 30], 3)
    assert read.status == here.status == "completed"
    assert list(read.steps) == list(here.steps) == ["split", "fit.0", "fit.1"]
    assert [view.record for view in read] == [view.record for view in here]
    assert read.record == here.record


def test_steps_and_outputs_are_found_by_name() -> None:
    for run in both_views(training.run):
        assert run["split"].outputs["test"].load() == 2
        assert run["fit.1"].output.load() == 10
        assert [view.id for view in run["fit"]] == ["fit.0", "fit.1"]  # type: ignore[attr-defined]


def test_a_step_that_is_not_there_is_told_with_those_that_are() -> None:
    run = training.run()
    with pytest.raises(NotFound) as caught:
        run["splt"]
    assert str(caught.value) == (
        f"Run {run.id} of 'training' has no step 'splt'. Its steps: 'split', 'fit.0', 'fit.1'.\n"
        "Did you mean 'split'?"
    )


def test_the_output_of_a_step_with_several_has_to_be_named() -> None:
    with pytest.raises(NotFound, match=r"Step split has several outputs: 'train', 'test'\."):
        _ = training.run()["split"].output


def test_a_failed_run_has_no_result() -> None:
    with pytest.raises(RunFailed):
        scoring.run(-1)
    run = Client().run("last")
    with pytest.raises(NotFound, match="has no result: step fit is failed"):
        run.result()


# Artifacts.


def test_artifacts_are_listed_newest_runs_first() -> None:
    first = training.run(1)
    second = training.run(2)
    client = Client()
    assert [(each.run, each.step, each.name) for each in client.artifacts()] == [
        (run.id, call, name)
        for run in (second, first)
        for call, name in (
            ("split", "train"), ("split", "test"), ("fit.0", "output"), ("fit.1", "output"),
        )
    ]  # fmt: skip
    assert len(client.artifacts(limit=3)) == 3
    assert {each.run for each in client.artifacts(run=first.id[-9:])} == {first.id}
    assert [each.load() for each in client.artifacts(step="split", pipeline="training")] == [
        2, 3, 1, 2,
    ]  # fmt: skip


def test_an_artifact_from_the_client_is_an_argument() -> None:
    training.run(7)
    (made,) = Client().artifacts(step="fit.0")
    assert scoring.run(made).result() == 700
