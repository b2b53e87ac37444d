"""Why steps ran, asked of real runs in a real store."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from penstock.artifacts.values import Code, Values
from penstock.errors import NotFound
from penstock.model.records import StepRun
from penstock.runtime.explaining import why
from penstock.runtime.explaining.change import ORDER, Change, Explanation
from penstock.runtime.explaining.past import Past
from penstock.runtime.ledger import Ledger


class Parts(NamedTuple):
    head: list[int]
    tail: list[int]


@step
def load(n: int) -> list[int]:
    return list(range(n))


@step
def split(rows: list[int]) -> Parts:
    return Parts(rows[:1], rows[1:])


@step
def total(tails: list[list[int]], by: float) -> float:
    if by < 0:
        raise ValueError(by)
    return sum(map(sum, tails)) * by


@pipeline(progress=False)
def training(n: int = 3, by: float = 0.5) -> float:
    head, tail = split(load(n))
    return total([head, tail], by)


@step
def many(a: int, b: int, c: str, d: list[int]) -> str:
    return f"{a} {b} {c} {d}"


@pipeline(progress=False)
def choosing(a: int, b: int, c: str, d: list[int]) -> str:
    return many(a, b, c, d)


@step
def wide(n: int) -> bytes:
    return bytes(n)


@step
def chosen(of: bytes) -> object:
    return {"a": object, "n": len(of)}


@pipeline(progress=False)
def storing(n: int = 10_000) -> object:
    return chosen(wide(n))


def one(run: Run[Any], name: str) -> Explanation:
    (found,) = run.why(name)
    return found


def told(run: Run[Any], name: str) -> list[str]:
    return [change.words for change in one(run, name).changes]


def only(run: Run[Any], name: str) -> Change:
    (change,) = one(run, name).changes
    return change


def test_a_step_that_never_ran_says_so() -> None:
    assert only(training.run(), "load").kind == "never-ran"


def test_every_step_is_explained_in_the_order_of_the_run() -> None:
    assert [each.step for each in training.run().why()] == ["load", "split", "total"]


def test_a_parameter_is_told_from_what_to_what() -> None:
    training.run()
    run = training.run(by=0.7)
    change = only(run, "total")
    assert (change.kind, change.name, change.old, change.new) == ("parameter", "by", "0.5", "0.7")
    assert change.words == "by 0.5 → 0.7"


def test_an_input_is_told_with_the_step_that_made_it_and_its_reason() -> None:
    training.run()
    changes = one(training.run(n=4), "total").changes
    assert [(change.name, change.where) for change in changes] == [("tails[1]", "split")]
    assert changes[0].words == "input tails[1] (of split) changed"
    assert changes[0].because == "input rows (of load) changed"


def test_an_input_that_was_taken_from_the_cache_has_a_reason_too() -> None:
    training.run(n=4, by=9.0)
    beside = training.run(n=3, by=1.5)
    run = training.run(n=4, by=1.5)
    found = one(run, "total")
    assert (one(run, "split").changes[0].kind, found.against) == ("hit", beside.id)
    assert found.changes[0].because == "input rows (of load) changed"


def test_an_input_that_is_not_the_same_each_time_says_so() -> None:
    @step(cache=False)
    def measure() -> int:
        with open("measured", "a+") as file:
            file.write("x")
            return file.tell()

    @step
    def use(of: int) -> int:
        return of

    @pipeline(name="measuring", progress=False)
    def measuring() -> int:
        return use(measure())

    measuring.run()
    change = only(measuring.run(), "use")
    assert change.words == "input of (of measure) changed"
    assert change.because == "it has given something else for the same"


def test_a_hit_names_the_run_that_computed_it() -> None:
    first = training.run()
    change = only(training.run(), "split")
    assert (change.kind, change.new) == ("hit", first.id)
    assert change.words == f"taken from the cache: run {first.id}"


def test_a_hit_of_a_run_that_was_cleaned_says_so() -> None:
    first = training.run()
    run = training.run()
    shutil.rmtree(f".penstock/runs/{first.id}")
    assert only(run, "split").words.endswith(f"run {first.id}, which was cleaned")


def test_the_nearest_earlier_run_is_that_with_the_fewest_differences() -> None:
    near = training.run(n=1, by=1.0)
    training.run(n=2, by=2.0)
    found = one(training.run(n=1, by=3.0), "total")
    assert found.against == near.id
    assert found.words == "by 1.0 → 3.0"


def test_of_equally_near_runs_the_newest_counts() -> None:
    training.run(by=1.0)
    newer = training.run(by=2.0)
    assert one(training.run(by=3.0), "total").against == newer.id


def test_only_runs_of_the_same_pipeline_count() -> None:
    @pipeline(name="another", progress=False)
    def other(n: int) -> list[int]:
        return load(n)

    other.run(7)
    assert only(training.run(), "load").kind == "never-ran"


def test_only_earlier_runs_count() -> None:
    first = training.run(by=1.0)
    training.run(by=2.0)
    assert only(first, "total").kind == "never-ran"


def test_a_run_of_long_ago_counts_if_there_is_no_newer_one() -> None:
    run = training.run()
    much_later = replace(run.record, run=f"9{run.id[1:]}", started=run.started + 1e7)
    ledger = Ledger(LocalArtifactStore(path=".penstock"))
    assert [each.run for each in Past(ledger, much_later, 9).runs] == [run.id]


changed = st.fixed_dictionaries({}, optional={
    "a": st.just(2), "b": st.just(-1), "c": st.just("…"), "d": st.just([2, 1]),
})  # fmt: skip


@settings(max_examples=16)
@given(changed)
def test_exactly_what_was_changed_is_told(tmp_path_factory: Any, others: dict[str, Any]) -> None:
    folder = tmp_path_factory.mktemp("store")
    stack = Stack(
        "s",
        orchestrator=LocalOrchestrator(),
        artifact_store=LocalArtifactStore(path=str(folder)),
    )
    given: dict[str, Any] = {"a": 1, "b": 1, "c": "", "d": [1, 2]}
    choosing.on(stack).run(**given)
    run = choosing.on(stack).run(**given | others)
    found = {change.name: (change.old, change.new) for change in one(run, "many").changes}
    if not others:
        assert one(run, "many").changes[0].kind == "hit"
    else:
        assert found == {
            name: (json.dumps(given[name]).replace(" ", ""), json.dumps(value).replace(" ", ""))
            for name, value in others.items()
        }


def test_a_deleted_object_is_the_reason() -> None:
    digest = storing.run()["wide"].output.artifact.digest
    Path(".penstock/objects", digest[:2], digest).unlink()
    change = only(storing.run(), "wide")
    assert change.kind == "deleted"
    assert change.words == "the object of output 'output' was deleted"


def test_a_cache_that_is_off_is_the_reason_and_what_is_different_besides() -> None:
    training.run()
    run = training.with_options(cache=False).run(by=0.7)
    kinds = [change.kind for change in one(run, "total").changes]
    assert kinds == ["cache-off", "parameter"]


def test_a_refreshed_step_was_asked_for() -> None:
    training.run()
    run = training.with_options(refresh=True).run()
    assert {change.kind for each in run.why() for change in each.changes} == {"refreshed"}


def test_an_expired_result_is_the_reason() -> None:
    training.run()
    run = training.with_options(cache_for=timedelta(microseconds=1)).run()
    assert only(run, "load").kind == "expired"
    assert only(run, "load").words.startswith("the result is older than ")


def test_a_result_that_was_not_kept_is_named() -> None:
    first = training.with_options(cache=False).run()
    change = only(training.run(), "load")
    assert (change.kind, change.new) == ("not-kept", first.id)


def test_a_cache_entry_that_is_gone_is_the_reason() -> None:
    training.run()
    shutil.rmtree(".penstock/cache")
    assert only(training.run(), "load").kind == "gone"


def test_a_result_of_somebody_elses_key_is_the_reason(tmp_path: Path) -> None:
    def stack(key: str) -> Stack:
        store = LocalArtifactStore(path=str(tmp_path / "shared"), signing_key=key * 32)
        return Stack("shared", orchestrator=LocalOrchestrator(), artifact_store=store)

    storing.on(stack("a")).run()
    change = only(storing.on(stack("b")).run(), "chosen")
    assert change.kind == "key-not-here"


def test_a_step_that_only_ever_failed_says_where() -> None:
    with pytest.raises(RunFailed) as first:
        training.run(by=-1.0)
    assert only(first.value.run, "total").kind == "never-ran"
    change = only(training.run(by=1.0), "total")
    assert (change.kind, change.new) == ("failed", first.value.run.id)


def test_a_failed_step_is_explained_as_any_other() -> None:
    training.run(by=1.0)
    with pytest.raises(RunFailed) as caught:
        training.run(by=-1.0)
    assert told(caught.value.run, "total") == ["by 1.0 → -1.0"]


def test_a_step_that_did_not_run_says_so() -> None:
    @step
    def after(x: float) -> float:
        return x

    @pipeline(name="longer", progress=False)
    def longer() -> float:
        return after(total([[1]], -1.0))

    with pytest.raises(RunFailed) as caught:
        longer.run()
    assert only(caught.value.run, "after").words == "it is pending"


def broken(path: Path) -> None:
    path.write_bytes(b"{}\n{}\n{}")


def swapped(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"parameters"', b'"paramaters"'))


@pytest.mark.parametrize("damage", [broken, swapped, Path.unlink])
def test_an_earlier_record_that_cannot_be_read_is_as_if_it_were_not_there(
    damage: Callable[[Path], None],
) -> None:
    first = training.run()
    damage(Path(f".penstock/runs/{first.id}/steps/total.json"))
    assert only(training.run(by=0.7), "total").kind == "never-ran"


@pytest.mark.parametrize("text", ["", "{}\n", '{"run": 1}\n{}'])
def test_an_earlier_run_that_cannot_be_read_is_as_if_it_were_not_there(text: str) -> None:
    first = training.run()
    Path(f".penstock/runs/{first.id}/run.json").write_text(text)
    assert only(training.run(by=0.7), "total").kind == "never-ran"


def test_a_step_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="has no step 'tota'"):
        training.run().why("tota")


def test_the_items_of_a_map_are_explained_each() -> None:
    @step
    def square(n: int, plus: int) -> int:
        return n * n + plus

    @pipeline(name="mapping", progress=False)
    def mapping(plus: int) -> list[int]:
        return square.map([1, 2], plus=plus)

    mapping.run(1)
    run = mapping.run(2)
    assert [(each.step, each.words) for each in run.why("square")] == [
        ("square.0", "plus 1 → 2"), ("square.1", "plus 1 → 2"),
    ]  # fmt: skip


@dataclass(frozen=True)
class Setting:
    depth: int


@step
def fit(setting: Setting, words: set[int]) -> int:
    return setting.depth


@pipeline(progress=False)
def fitting(depth: int, words: set[int]) -> int:
    return fit(Setting(depth), words)


def test_an_object_of_a_dataclass_is_told_by_its_fields() -> None:
    fitting.run(3, {1})
    change = only(fitting.run(4, {1}), "fit")
    assert (change.kind, change.words) == ("parameter", 'setting {"depth":3} → {"depth":4}')


def test_what_json_has_no_word_for_is_told_as_in_python() -> None:
    fitting.run(3, {1})
    assert told(fitting.run(3, {2}), "fit") == ["words {1} → {2}"]


def test_no_more_steps_are_read_than_the_one_and_those_that_feed_it() -> None:
    @pipeline(name="chain", progress=False)
    def chain(n: int) -> int:
        value = n
        for _ in range(9):
            value = plus(value, 1)
        return value

    chain.run(1)
    run, asked = chain.run(2), []

    def steps(id: str) -> StepRun:
        asked.append(id)
        return run[id].record

    ledger = Ledger(LocalArtifactStore(path=".penstock"))
    values = Values(ledger.store, lambda names: Code())
    plan = values.fetch(run.record.plan, "The plan")
    (found,) = why.explanations(ledger, values, run.record, lambda: bytes(plan), steps, ["plus-9"])
    assert found.changes[0].because == "input x (of plus-7) changed"
    assert asked == ["plus-9", "plus-8"]


@step
def plus(x: int, more: int) -> int:
    return x + more


@pipeline(progress=False)
def expanding(n: int, more: int = 0) -> list[int]:
    return plus.map(load(n), more=more)


def test_the_items_of_a_list_known_at_run_time_are_explained_each() -> None:
    first = expanding.run(2)
    run = expanding.run(3)
    found = {each.step: each.changes[0] for each in run.why("plus")}
    assert {step: change.kind for step, change in found.items()} == {
        "plus.0": "hit", "plus.1": "hit", "plus.2": "never-ran", "plus": "input",
    }  # fmt: skip
    assert found["plus.0"].new == first.id
    assert found["plus"].where == "load"


def test_an_item_that_an_earlier_run_took_from_the_cache_counts() -> None:
    expanding.run(2)
    hits = expanding.run(3)
    found = one(expanding.run(3, more=1), "plus.0")
    assert (found.against, found.words) == (hits.id, "more 0 → 1")


def test_a_step_that_was_skipped_says_because_of_what() -> None:
    @step
    def is_large(n: int) -> bool:
        return n > 9

    @pipeline(name="conditional", progress=False)
    def conditional(n: int) -> None:
        load.when(is_large(n))(n)

    conditional.run(3)
    change = only(conditional.run(4), "load")
    assert (change.kind, change.words) == ("skipped", "output of is_large is False")


def test_what_another_process_asks_is_the_same() -> None:
    training.run()
    run = training.run(by=0.7)
    assert Client().run(run.id).why() == run.why()


def test_every_kind_has_a_place_in_the_order() -> None:
    training.run()
    runs = [training.run(by=0.7), training.with_options(cache=False).run()]
    kinds = {change.kind for run in runs for each in run.why() for change in each.changes}
    assert kinds <= set(ORDER)
