"""Drawing: repeated steps, maps, fan-ins, `after`, pipelines inside pipelines."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from penstock import Graph, pipeline, step
from penstock.errors import BadArguments, BadGraph, DeclarationError
from penstock.model.binding import Given, Group, Use, uses
from penstock.model.controls import ANYTHING, Controls


class Split(NamedTuple):
    train: int
    test: int


@step
def load() -> int:
    return 1


@step
def train(x: Any, lr: float = 0.1) -> Any:
    return (x, lr)


@step
def Train(x: Any) -> Any:  # noqa: N802
    return x


@step
def split(x: int) -> Split:
    return Split(x, x + 1)


@step
def join(of: Any) -> Any:
    return of


def drawn(body: Callable[[], Any]) -> Graph:
    def main() -> Any:
        return body()

    return pipeline(main).graph()


def ids(body: Callable[[], Any]) -> list[str]:
    return list(drawn(body).calls)


def here(function: Callable[..., Any], line: int = 0) -> str:
    return f"{__file__}:{function.__code__.co_firstlineno + line}"


def of(call: str, output: str = "output") -> Use:
    return Use(call, output)


# Names.


def test_a_step_that_is_used_again_is_numbered() -> None:
    assert ids(lambda: [train(1), train(2), load(), train(3)]) == [
        "train", "train-2", "load", "train-3",
    ]  # fmt: skip


def test_a_name_of_ones_own_is_the_id() -> None:
    assert ids(lambda: [train.with_options(name="best")(1), train(2)]) == ["best", "train"]


def test_numbers_make_way_for_names() -> None:
    def body() -> None:
        train.with_options(name="train-2")(0)
        train(1)
        train(2)

    assert ids(body) == ["train-2", "train", "train-3"]


def test_two_steps_with_one_explicit_name_are_refused() -> None:
    def body() -> None:
        train.with_options(name="best")(1)
        train.with_options(name="best")(2)

    with pytest.raises(BadGraph) as caught:
        drawn(body)
    assert str(caught.value) == (
        f"Two steps of pipeline 'main' are named 'best': {here(body, 1)} and {here(body, 2)}.\n"
        "Leave the name to penstock, or write with_options(name='best-2')."
    )


def test_an_explicit_name_that_a_number_has_taken_is_refused() -> None:
    def body() -> None:
        train.map([1, 2])
        train.with_options(name="train.1")(2)

    with pytest.raises(BadGraph, match=r"Two steps of pipeline 'main' are named 'train\.1'"):
        drawn(body)


def test_a_map_over_a_name_that_is_taken_is_refused() -> None:
    def body() -> None:
        train.with_options(name="train.1")(2)
        train.map([1, 2])

    with pytest.raises(BadGraph, match=r"Two steps of pipeline 'main' are named 'train\.1'"):
        drawn(body)


@pytest.mark.parametrize("second", [train, load.with_options(name="train")])
def test_names_that_differ_by_case_only_are_refused(second: Any) -> None:
    def body() -> None:
        Train(1)
        second() if second is not train else second(2)

    with pytest.raises(BadGraph) as caught:
        drawn(body)
    assert str(caught.value) == (
        f"Step train ({here(body, 2)}) is named like step Train ({here(body, 1)}), but for upper "
        "and lower case: some file systems cannot tell them apart.\n"
        "Write with_options(name=…) on one of them."
    )


# Values and references.


def test_references_and_values_are_bound_to_parameters() -> None:
    call = drawn(lambda: train(split(load()).test, lr=0.5)).calls["train"]

    assert call.bindings == {"x": of("split", "test"), "lr": Given(0.5)}
    assert call.upstream == {"split"}
    assert call.where == here(test_references_and_values_are_bound_to_parameters, 1)


def test_references_are_collected_in_lists_tuples_dicts_and_named_tuples() -> None:
    def body() -> None:
        one, two = load(), load()
        join([one, 1])
        join((two, "a"))
        join({"a": one, 2: two})
        join(split(one))
        join(Split(one, 5))

    bindings = [call.bindings.get("of") for call in drawn(body).calls.values()]
    assert bindings[2:5] == [
        Group("list", (of("load"), Given(1))),
        Group("tuple", (of("load-2"), Given("a"))),
        Group("dict", (of("load"), of("load-2")), ("a", 2)),
    ]
    assert bindings[6:] == [
        Group("named", (of("split", "train"), of("split", "test")), ("Split", "train", "test")),
        Group("named", (of("load"), Given(5)), ("Split", "train", "test")),
    ]


def test_collections_of_references_may_be_nested() -> None:
    def body() -> None:
        join([{"a": (1, [load()])}, {"b": [2]}])

    binding = drawn(body).calls["join"].bindings["of"]
    assert list(uses(binding)) == [of("load")]
    assert isinstance(binding, Group)
    assert binding.items[1] == Given({"b": [2]})


@step
def make(x: int) -> int:
    return x * 10


@pipeline(progress=False)
def fan_in() -> Any:
    one, two = make(1), make(2)
    return {
        "list": join([one, two, [5, one]]),
        "tuple": join((one, two)),
        "dict": join({"a": one, 2: {"b": two}, (3, None): "c"}),
        "named": join(Split(one, 7)),
    }


def test_a_step_receives_collections_as_they_were_given() -> None:
    result = fan_in.run().result()

    assert result == {
        "list": [10, 20, [5, 10]],
        "tuple": (10, 20),
        "dict": {"a": 10, 2: {"b": 20}, (3, None): "c"},
        "named": (10, 7),
    }
    assert type(result["tuple"]) is tuple
    assert result["named"].test == 7


@pytest.mark.parametrize("change", [list.clear, lambda rows: rows.append({"b": 3}),
                                    lambda rows: rows[0].update(a=2)])  # fmt: skip
def test_a_value_is_as_it_was_when_the_step_was_called(change: Any) -> None:
    def body() -> None:
        rows = [{"a": 1}]
        join(rows)
        change(rows)
        join(rows)

    first, second = (call.bindings["of"] for call in drawn(body).calls.values())
    assert first == Given([{"a": 1}])
    assert second != first


def test_a_value_that_does_not_change_stays_one_object() -> None:
    rows = [object(), (1, {"a": [object()]})]
    graph = drawn(lambda: [join(rows), join(rows)])
    first, second = (call.bindings["of"] for call in graph.calls.values())

    assert isinstance(first, Given)
    assert isinstance(second, Given)
    assert first.value is second.value
    assert first.value == rows


def test_a_value_that_contains_itself_is_refused() -> None:
    rows: list[Any] = [1]
    rows.append(rows)

    with pytest.raises(BadArguments) as caught:
        drawn(lambda: join(rows))
    assert str(caught.value) == (
        "Parameter 'of' of step join is given a value that contains itself, or is nested too "
        "deeply.\nMake that value in a @step."
    )


class Key(enum.Enum):
    A = 1


def test_keys_beside_references_are_plain_data() -> None:
    with pytest.raises(BadArguments) as caught:
        drawn(lambda: join({Key.A: load()}))
    assert str(caught.value) == (
        "Parameter 'of' of step join is given a dict with outputs of steps in it and the key "
        "<Key.A: 1>, which is a Key and no plain data.\n"
        "Use str or int keys, or make the dict inside a @step."
    )
    drawn(lambda: join({Key.A: 1}))


@dataclass
class Config:
    rate: Any


def test_an_object_that_holds_a_reference_is_refused() -> None:
    def body() -> None:
        join([Config(load())])

    with pytest.raises(BadArguments) as caught:
        drawn(body)
    assert str(caught.value) == (
        "Parameter 'of' of step join is given a Config whose attribute 'rate' is the output of "
        f"step load, which is not there yet ({here(body, 1)}).\n"
        "Make the Config in a @step. Lists, tuples, named tuples and dicts may hold outputs of "
        "steps."
    )


def test_a_reference_of_another_drawing_is_refused() -> None:
    kept: list[Any] = []

    def first() -> None:
        kept.append(load())

    drawn(first)
    for use in (lambda: join(kept[0]), lambda: join({"a": kept}), lambda: kept):
        with pytest.raises(BadGraph) as caught:
            drawn(use)
        assert caught.value.message.endswith(
            "is given an output of step load of another drawing, of pipeline 'main' "
            f"({here(first, 1)})."
        )
        assert caught.value.hint == "Pass run['step'].output of a finished run instead."
    with pytest.raises(BadGraph, match=r"^after\(\) of step load is given an output of step load"):
        drawn(load.after(kept[0]))


# Maps.


def test_a_map_is_one_call_for_each_item() -> None:
    graph = drawn(lambda: train.map(["a", "b"], lr=0.5))

    assert {id: call.bindings for id, call in graph.calls.items()} == {
        "train.0": {"x": Given("a"), "lr": Given(0.5)},
        "train.1": {"x": Given("b"), "lr": Given(0.5)},
    }
    assert graph.result == Group("list", (of("train.0"), of("train.1")))


def test_a_map_takes_the_other_arguments_by_position_too() -> None:
    graph = drawn(lambda: train.map([1], load()))

    assert graph.calls["train.0"].bindings == {"x": Given(1), "lr": of("load")}


@pytest.mark.parametrize("items", [(1, 2), {1: "a", 2: "b"}, range(1, 3), iter([1, 2])])
def test_a_map_takes_anything_that_has_items(items: Any) -> None:
    graph = drawn(lambda: train.map(items))

    assert [call.bindings["x"] for call in graph.calls.values()] == [Given(1), Given(2)]


def test_a_map_over_references_runs_after_each() -> None:
    graph = drawn(lambda: train.map(split.map([load(), 2])))

    assert graph.calls["split.0"].bindings == {"x": of("load")}
    assert graph.calls["train.1"].bindings["x"] == Group(
        "named", (of("split.1", "train"), of("split.1", "test")), ("Split", "train", "test")
    )


def test_a_map_of_a_step_with_several_outputs_gives_each_in_its_shape() -> None:
    seen: list[Any] = []
    graph = drawn(lambda: seen.extend(split.map([1, 2])) or [part.test for part in seen])

    assert [type(part) for part in seen] == [Split, Split]
    assert graph.result == Group("list", (of("split.0", "test"), of("split.1", "test")))


def test_a_map_over_nothing_draws_nothing() -> None:
    graph = drawn(lambda: join(train.map([])))

    assert list(graph.calls) == ["join"]
    assert graph.calls["join"].bindings == {"of": Given([])}


def test_a_second_map_is_numbered() -> None:
    assert ids(lambda: [train.map([1]), train.map([]), train.map([2, 3]), train(4)]) == [
        "train.0", "train-3.0", "train-3.1", "train-4",
    ]  # fmt: skip


def test_a_map_with_a_name_of_its_own() -> None:
    assert ids(lambda: train.with_options(name="best").map([1, 2])) == ["best.0", "best.1"]


@pipeline(progress=False)
def mapped() -> list[int]:
    return make.map(make.map([1, 2]))


def test_the_steps_of_a_map_are_a_sequence_of_the_run() -> None:
    run = mapped.run()

    assert run.result() == [100, 200]
    assert [view.output.load() for view in run["make"]] == [10, 20]
    assert [view.id for view in run["make-2"]] == ["make-2.0", "make-2.1"]
    assert run["make.1"].output.load() == 20


def test_a_map_over_an_artifact_is_one_call_until_it_runs() -> None:
    artifact = fan_in.run()["join"].output
    call = drawn(lambda: train.map(artifact)).calls["train"]
    assert (call.over, call.bindings["x"]) == ("x", Given(artifact))


def test_a_map_over_what_has_no_items_is_refused() -> None:
    def body() -> None:
        train.map(3)

    with pytest.raises(BadArguments) as caught:
        drawn(body)
    assert str(caught.value) == (
        f"train.map() is given 3, which has no items ({here(body, 1)}).\n"
        "Give it a list: one call for each of its items."
    )


# After.


def test_after_an_output() -> None:
    call = drawn(lambda: train.after(load())(1)).calls["train"]

    assert (call.after, call.upstream) == (("load",), {"load"})


def test_after_several_in_any_shape() -> None:
    def body() -> None:
        parts = split(1)
        train.after(parts, [load(), "train.1"]).after("load-2")(1)
        train.with_options(name="train.1")(2)
        load()

    call = drawn(body).calls["train"]
    assert call.after == ("split", "split", "load", "train.1", "load-2")


def test_after_a_name_that_comes_later_changes_the_order() -> None:
    assert ids(lambda: [train.after("load")(1), load()]) == ["load", "train"]


def test_after_the_name_of_a_map_is_after_all_of_it() -> None:
    graph = drawn(lambda: [load.after("train")(), train.map([1, 2])])

    assert graph.calls["load"].upstream == {"train.0", "train.1"}
    assert list(graph.calls) == ["train.0", "train.1", "load"]


def test_after_the_name_of_an_empty_map_is_after_nothing() -> None:
    assert drawn(lambda: [load.after("train")(), train.map([])]).calls["load"].after == ()


def test_after_is_kept_by_every_use_of_the_step() -> None:
    def body() -> None:
        late = train.after(load()).with_options(cache=False)
        late(1)
        late.map([2])

    assert [call.after for call in drawn(body).calls.values()] == [(), ("load",), ("load",)]


def test_after_an_unknown_name_is_refused() -> None:
    def body() -> None:
        load()
        train.after("laod")(1)

    with pytest.raises(BadGraph) as caught:
        drawn(body)
    assert str(caught.value) == (
        "Step train is to run after step 'laod', which pipeline 'main' does not have "
        f"({here(body, 2)}). Its steps: 'load', 'train'.\nDid you mean 'load'?"
    )


def test_after_something_else_is_refused() -> None:
    def body() -> None:
        train.after(load)(1)

    with pytest.raises(BadArguments) as caught:
        drawn(body)
    assert str(caught.value) == (
        f"after() of step train is given {load!r} ({here(body, 1)}).\n"
        "Give it outputs of other steps, or their names."
    )


def test_a_circle_is_told_with_the_lines_that_made_it() -> None:
    def body() -> None:
        first = load.after("join")()
        second = train(first)
        join(second)
        train(second)

    with pytest.raises(BadGraph) as caught:
        drawn(body)
    assert str(caught.value) == (
        "The steps of pipeline 'main' wait for each other in a circle:\n"
        f"  step join ({here(body, 3)}) needs step train\n"
        f"  step train ({here(body, 2)}) needs step load\n"
        f"  step load ({here(body, 1)}) needs step join"
    )


def test_a_step_after_itself_is_a_circle() -> None:
    def body() -> None:
        load.after("load")()

    with pytest.raises(
        BadGraph, match=rf"circle:\n  step load \({here(body, 1)}\) needs step load"
    ):
        drawn(body)


# Pipelines inside pipelines.


@pipeline
def inner(x: int) -> Split:
    parts = split(x)
    return Split(train(parts.train), make.map([1, parts.test])[1])


@pipeline(cache=False)
def uncached(x: int) -> Any:
    return train(x)


def test_a_pipeline_inside_a_pipeline_draws_its_steps() -> None:
    def body() -> Any:
        return [inner(load()), inner(2).test]

    graph = drawn(body)
    assert list(graph.calls) == [
        "load", "split", "train", "make.0", "make.1",
        "split-2", "train-2", "make-2.0", "make-2.1",
    ]  # fmt: skip
    assert graph.calls["split"].bindings == {"x": of("load")}
    assert graph.result == Group(
        "list",
        (
            Group("named", (of("train"), of("make.1")), ("Split", "train", "test")),
            of("make-2.1"),
        ),
    )


def test_outside_a_run_a_pipeline_is_an_ordinary_function() -> None:
    assert inner(3) == ((3, 0.1), 40)


def test_of_an_inner_pipeline_no_cache_counts() -> None:
    graph = drawn(lambda: [uncached(1), train(2), inner(3)])

    off = [id for id, call in graph.calls.items() if call.step.options.cache is False]
    assert off == ["train"]
    assert train.options.cache is None


def test_of_pipelines_inside_each_other_all_that_is_said_of_the_cache_counts() -> None:
    @pipeline(cache_for=timedelta(hours=2))
    def middle(x: int) -> Any:
        return [train(1), eager(x), train.map([x, 3])]

    @pipeline(refresh=True, cache_for=timedelta(hours=3))
    def eager(x: int) -> Any:
        return train.with_options(cache_for=timedelta(hours=1))(x), train(x)

    graph = drawn(lambda: [middle(1), train(2)])

    said = {id: call.step.options.controls for id, call in graph.calls.items()}
    assert said == {
        "train": Controls(cache_for=7200.0),
        "train-2": Controls(refresh=True, cache_for=3600.0),
        "train-3": Controls(refresh=True, cache_for=7200.0),
        "train-4.0": Controls(cache_for=7200.0),
        "train-4.1": Controls(cache_for=7200.0),
        "train-5": ANYTHING,
    }


def test_a_step_that_a_pipeline_controls_is_one_step_in_the_plan() -> None:
    graph = drawn(lambda: [uncached(1), uncached(2), uncached(3)])

    assert len({id(call.step) for call in graph.calls.values()}) == 1


def test_running_a_pipeline_inside_a_pipeline_is_refused() -> None:
    for start in (inner.run, inner.graph):
        with pytest.raises(DeclarationError) as caught:
            drawn(lambda: start(1))  # noqa: B023
        assert str(caught.value) == (
            "Pipeline 'inner' is asked to run while pipeline 'main' is drawn.\n"
            "Call it, inner(…), to make its steps part of this pipeline."
        )


def test_a_drawing_that_fails_leaves_nothing_behind() -> None:
    with pytest.raises(ZeroDivisionError):
        drawn(lambda: [load(), 1 / 0])

    assert load() == 1


def test_with_options_on_and_after_change_copies_only() -> None:
    changed = train.with_options(retries=2).after("load")
    elsewhere = inner.on("prod").with_options(cache=False)

    assert (train.options.retries, train.after_calls, inner.options.stack) == (0, (), None)
    assert (changed.options.retries, changed.after_calls) == (2, ("load",))
    assert (elsewhere.options.stack, elsewhere.options.cache) == ("prod", False)
    assert inner.options.cache is None


def test_a_step_with_a_name_of_its_own_may_be_used_again() -> None:
    named = step(name="load")(load.function)

    assert ids(lambda: [named(), named()]) == ["load", "load-2"]
