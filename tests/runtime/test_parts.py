"""Parts of a pipeline: what runs, what is taken from elsewhere, and what is said of it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, Status, pipeline, step
from penstock.api.pipeline import Pipeline
from penstock.errors import BadArguments, BadStep, CannotRun, NotFound
from penstock.runtime.ledger import Ledger


def ran() -> list[str]:
    """The steps that have run since the last time that this was asked."""
    log = Path("ran.txt")
    found = log.read_text().split() if log.exists() else []
    log.write_text("")
    return found


def note(name: str) -> None:
    with open("ran.txt", "a") as log:
        log.write(f"{name}\n")


@dataclass
class Rows:
    items: list[int]


@step
def load(count: int) -> Rows:
    note("load")
    return Rows(list(range(count)))


@step
def clean(rows: Rows) -> Rows:
    note("clean")
    return rows


@step
def train(rows) -> int:  # type: ignore[no-untyped-def] # the class is known from `clean` alone
    note("train")
    return sum(rows.items)


@step
def evaluate(score: int) -> str:
    note("evaluate")
    return f"{score}"


@step
def plot(rows: Rows) -> int:
    note("plot")
    return len(rows.items)


def flow(cleaned: Any = clean, loaded: Any = load, **options: Any) -> Pipeline[..., Any]:
    """load → clean → train → evaluate, and clean → plot."""

    @pipeline(progress=False)
    def training(count: int = 4) -> Any:
        rows = cleaned(loaded(count))
        return evaluate(train(rows)), plot(rows)

    return training.with_options(**options)


def ids(run: Any) -> list[str]:
    return list(run.record.calls)


def test_to_a_step_is_that_step_and_what_it_needs() -> None:
    run = flow(to_step="train").run()
    assert ids(run) == ran() == ["load", "clean", "train"]


def test_from_a_step_is_that_step_and_what_depends_on_it() -> None:
    flow(to_step="clean").run()
    ran()
    run = flow(from_step="train").run()
    assert ids(run) == ran() == ["train", "evaluate"]


def test_from_a_step_to_a_step_is_what_lies_between() -> None:
    flow(to_step="clean").run()
    ran()
    run = flow(from_step="clean", to_step="train").run()
    assert (ids(run), ran()) == (["clean", "train"], ["train"])


def test_only_a_step_is_that_step_alone() -> None:
    flow(to_step="clean").run()
    ran()
    assert ids(flow(only="train").run()) == ran() == ["train"]


def test_what_runs_is_taken_from_the_cache_if_it_has_it() -> None:
    flow().run()
    ran()
    run = flow(from_step="train").run()
    assert (ran(), run.status) == ([], Status.COMPLETED)


def test_a_step_of_a_part_has_the_cache_key_that_it_has_in_the_whole() -> None:
    whole = flow().run()
    part = flow(only="train").run()
    assert part["train"].record.key == whole["train"].record.key


def test_a_run_says_which_part_it_is() -> None:
    flow().run()
    assert flow(from_step="clean", to_step="train").run().record.part == "from clean to train"


def test_a_whole_run_says_nothing_of_parts() -> None:
    assert flow().run().record.part == ""


def test_what_a_step_is_given_names_where_it_came_from() -> None:
    whole = flow().run()
    part = flow(only="train").run()
    assert part.inputs("train") == {"rows": f"{whole.id}/clean/output"}


def test_a_list_of_outputs_may_be_partly_left_out() -> None:
    @step
    def joined(numbers: list[int]) -> int:
        return sum(numbers)

    @step
    def one(number: int) -> int:
        return number

    @pipeline(progress=False)
    def joining() -> int:
        return joined([one(1), one(2), 3])

    joining.with_options(to_step="one").run()
    assert joining.with_options(from_step="one-2").run().result() == 6


def test_all_items_of_a_map_have_the_name_of_the_step() -> None:
    @pipeline(progress=False)
    def mapping() -> list[str]:
        return evaluate.map([1, 2])

    assert ids(mapping.with_options(only="evaluate").run()) == ["evaluate.0", "evaluate.1"]
    assert ids(mapping.with_options(only="evaluate.1").run()) == ["evaluate.1"]


def test_what_it_only_runs_after_is_left_out_too() -> None:
    @pipeline(progress=False)
    def ordered() -> Any:
        first = evaluate(1)
        return plot.after(first)(Rows([1]))

    assert ids(ordered.with_options(only="plot").run()) == ["plot"]


# What is taken.


def changed(**options: Any) -> Pipeline[..., Any]:
    """The same, where `clean` is another one by now."""
    return flow(clean.with_options(version="2"), **options)


def test_what_the_cache_has_for_the_key_is_taken_without_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flow().run()
    flow(only="train", progress=True).run()
    assert "note:" not in capsys.readouterr().err


@pytest.mark.parametrize("option", [{"refresh": True}, {"cache": False}])
def test_the_cache_is_asked_for_it_also_if_what_runs_is_computed_anew(
    option: dict[str, bool], capsys: pytest.CaptureFixture[str]
) -> None:
    flow().run(count=5)
    flow().run(count=3)
    ran()
    run = flow(only="train", progress=True, **option).run(count=5)
    assert (run["train"].output.load(), ran()) == (10, ["train"])
    assert "note:" not in capsys.readouterr().err


def test_of_a_record_that_says_nothing_of_its_key_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = flow(clean.with_options(cache=False)).run()
    ledger = Ledger(Client().active_stack.artifact_store)
    record = before["clean"].record
    (Path(ledger.store.path) / "runs" / before.id / "steps" / "clean.json").unlink()
    ledger.finish(replace(record, parts="[1]"), reusable=False)
    flow(clean.with_options(cache=False), only="train", progress=True).run()
    assert "and clean has changed since (its key)\n" in capsys.readouterr().err


def test_else_it_is_taken_from_the_newest_run_which_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flow().run()
    newest = flow().run(count=5)
    run = changed(from_step="train", progress=True).run(count=6)
    assert run["train"].output.load() == 10
    assert f"note: clean is taken from run {newest.id}" in capsys.readouterr().err


def test_it_is_said_that_the_step_has_changed_since(capsys: pytest.CaptureFixture[str]) -> None:
    before = flow().run()
    changed(only="train", progress=True).run()
    said = f"clean is taken from run {before.id}, and clean has changed since (its version)\n"
    assert said in capsys.readouterr().err


def test_it_is_said_that_what_it_is_made_from_has_changed_since(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = flow().run()
    other = flow(loaded=load.with_options(version="2"), only="train", progress=True)
    other.run()
    said = f"clean is taken from run {before.id}, and load has changed since (its version)\n"
    assert said in capsys.readouterr().err


def test_a_step_whose_cache_is_off_is_taken_from_the_newest_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    uncached = clean.with_options(cache=False)
    before = flow(uncached).run()
    ran()
    flow(uncached, only="train", progress=True).run()
    assert (ran(), f"clean is taken from run {before.id}\n" in capsys.readouterr().err) == (
        [],
        True,
    )


def test_the_run_that_is_resumed_comes_before_the_newest() -> None:
    before = flow().run(count=5)
    flow().run(count=3)
    run = changed(only="train", resume=before).run()
    assert run["train"].output.load() == 10


def test_a_run_that_has_no_result_of_it_is_passed_over() -> None:
    flow().run(count=5)
    flow(to_step="load").run(count=3)
    assert changed(only="train").run()["train"].output.load() == 10


def test_an_output_that_the_run_does_not_have_is_not_taken() -> None:
    @step(name="clean")
    def named(rows: Rows) -> tuple[int, int]:
        return 1, 2

    @pipeline(progress=False)
    def training() -> Any:
        return evaluate(named(load(4))[0])

    flow().run()
    with pytest.raises(NotFound, match="Step clean is left out"):
        training.with_options(only="evaluate").run()


def test_without_a_result_anywhere_the_error_says_what_to_type() -> None:
    with pytest.raises(NotFound) as caught:
        flow(only="train").run()
    assert str(caught.value).startswith("Step clean is left out (only train), step train needs it")
    assert str(caught.value).endswith("Run it first, with --to clean or to_step='clean'.")


def test_nothing_is_recorded_then() -> None:
    with pytest.raises(NotFound):
        flow(only="train").run()
    assert Client().runs() == []


# Its result.


def test_the_result_is_that_of_the_whole_if_all_of_it_is_there() -> None:
    whole = flow().run()
    assert flow(from_step="clean").run().result() == whole.result()


def test_a_result_that_was_taken_is_part_of_the_result() -> None:
    @pipeline(progress=False)
    def returning() -> Any:
        rows = load(2)
        return rows, plot(rows)

    returning.run()
    rows, count = returning.with_options(only="plot").run().result()
    assert (rows.items, count) == ([0, 1], 2)


def test_a_result_that_was_left_out_says_so() -> None:
    run = flow(to_step="clean").run()
    said = f"Run {run.id} has no result: step evaluate was left out (to clean)."
    with pytest.raises(NotFound) as caught:
        run.result()
    assert caught.value.message == said


# In other processes, and what they need.


@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_what_is_taken_has_the_class_that_its_step_says(workers: Any) -> None:
    stack = Stack(
        "here",
        orchestrator=LocalOrchestrator(workers=workers),
        artifact_store=LocalArtifactStore(path="store"),
    )
    flow().on(stack).run()
    ran()
    run = flow(only="train", refresh=True).on(stack).run()
    assert (run["train"].output.load(), ran()) == (6, ["train"])


def test_steps_that_are_left_out_need_not_be_able_to_run() -> None:
    asking = evaluate.with_options(secrets=["NOBODY_HAS_THIS"])

    @pipeline(progress=False)
    def partly() -> Any:
        return asking(plot(load(2)))

    with pytest.raises(CannotRun):
        partly.run()
    assert partly.with_options(to_step="plot").run().status is Status.COMPLETED


# What is refused.


def test_an_unknown_step_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"(?s)has no step 'trian'.*Did you mean 'train'"):
        flow(from_step="trian").run()
    assert not Path(".penstock/runs").exists()


def test_only_one_step_and_a_range_are_not_asked_for_together() -> None:
    with pytest.raises(BadArguments, match="only='train' is one step alone"):
        flow(only="train", to_step="train").run()


def test_a_range_that_holds_nothing_is_refused() -> None:
    said = "There is nothing from step evaluate to step load of pipeline 'training'"
    with pytest.raises(BadArguments, match=said):
        flow(from_step="evaluate", to_step="load").run()


@pytest.mark.parametrize("option", ["from_step", "to_step", "only"])
def test_the_name_of_a_step_is_text(option: str) -> None:
    with pytest.raises(BadStep, match=f"{option}=3 does not fit: the name of a step is needed"):
        flow(**{option: 3})
