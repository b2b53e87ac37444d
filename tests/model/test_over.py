"""Drawing: maps over lists that are known at run time, and conditions."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import pytest

from penstock import Graph, pipeline, step
from penstock.errors import BadArguments, BadGraph, PenstockError, TypeMismatch
from penstock.model.binding import Condition, Literally, Use
from penstock.model.plan import Plan, edges_in


class Split(NamedTuple):
    low: int
    high: str


@step
def load() -> list[int]:
    return [1, 2]


@step
def anything() -> Any:
    return [1, 2]


@step
def one() -> int:
    return 1


@step
def words() -> list[str]:
    return ["a"]


@step
def pairs() -> tuple[Annotated[list[int], "left"], Annotated[list[int], "right"]]:
    return [1], [2]


@step
def square(x: int, plus: int = 0) -> int:
    return x * x + plus


@step
def named(x: int) -> Annotated[float, "score"]:
    return x / 2


@step
def split(x: int) -> Split:
    return Split(x, str(x))


@step
def first(of: Split) -> int:
    return of.low


@step
def total(of: list[int]) -> int:
    return sum(of)


@step
def flag() -> bool:
    return True


def drawn(body: Callable[[], Any]) -> Graph:
    def main() -> Any:
        return body()

    return pipeline(main).graph()


def refused(body: Callable[[], Any], kind: type[PenstockError]) -> str:
    with pytest.raises(kind) as caught:
        drawn(body)
    return str(caught.value).replace(f"{__file__}:{inspect.getsourcelines(body)[1]}", "HERE")


# Maps.


def test_a_map_over_an_output_is_one_call() -> None:
    graph = drawn(lambda: square.map(load(), plus=1))
    assert list(graph.calls) == ["load", "square"]
    assert graph.calls["square"].over == "x"
    assert graph.calls["square"].upstream == {"load"}


def test_what_it_gives_is_a_list() -> None:
    assert drawn(lambda: total(square.map(load()))).calls["square"].outputs[0].hint == list[int]
    message = refused(lambda: square(square.map(load())), TypeMismatch)
    assert "is int, but is given output 'output' of step square, which is list[int]" in message


def test_its_output_has_the_name_of_the_steps() -> None:
    graph = drawn(lambda: named.map(load()))
    assert graph.result == Use("named", "score")


def test_a_step_with_several_outputs_gives_a_list_of_named_tuples() -> None:
    graph = drawn(lambda: first.map(split.map(load())))
    assert [output.hint for output in graph.calls["split"].outputs] == [list[Split]]
    assert graph.calls["first"].bindings["of"] == Use("split", "output")


def test_the_step_that_makes_the_list_is_told() -> None:
    def body() -> Any:
        left, _ = pairs()
        return square.map(left)

    assert drawn(body).calls["pairs"].mapped == {"left"}


def test_a_map_over_a_map_tells_it_nothing() -> None:
    graph = drawn(lambda: square.map(square.map(load())))
    assert (graph.calls["square"].mapped, graph.calls["square-2"].over) == (frozenset(), "x")


def test_it_may_be_a_list_of_anything() -> None:
    assert drawn(lambda: square.map(anything())).calls["square"].over == "x"


def test_what_is_surely_no_list_is_refused() -> None:
    assert refused(lambda: square.map(one()), TypeMismatch) == (
        "square.map() is given output 'output' of step one, which is int and no list (HERE).\n"
        "Return a list from step one: one call is made for each of its items."
    )


def test_items_that_surely_do_not_fit_are_refused() -> None:
    message = refused(lambda: square.map(words()), TypeMismatch)
    assert message.startswith(
        "Each item of parameter 'x' of step square is int, but is given output 'output' of step "
        "words, which is str"
    )


def test_a_step_with_the_name_of_an_item_is_refused() -> None:
    def body() -> Any:
        return square.map(load()), square.with_options(name="square.0")(1)

    message = refused(body, BadGraph)
    assert message.startswith("Step square.0 of pipeline 'main' (")
    assert "is named like an item of the map square" in message


def test_outside_a_pipeline_it_maps_a_list() -> None:
    assert square.map(load(), plus=1) == [2, 5]


def test_a_picture_says_how_many_it_is() -> None:
    graph = drawn(lambda: square.map(load()))
    assert '["square × n"]' in graph.to_mermaid()
    assert "square × n" in graph.to_svg()


# Conditions.


def test_a_condition_is_an_output_that_is_waited_for() -> None:
    call = drawn(lambda: square.when(flag())(1)).calls["square"]
    assert call.when == (Condition(Use("flag", "output"), wanted=True),)
    assert call.upstream == {"flag"}


def test_a_condition_may_be_a_value() -> None:
    calls = drawn(lambda: (square.when([1])(1), square.unless("")(1))).calls
    assert calls["square"].when == (Condition(Literally("true", "true"), wanted=True),)
    assert calls["square-2"].when == (Condition(Literally("false", "false"), wanted=False),)


def test_several_conditions_must_all_hold() -> None:
    call = drawn(lambda: square.when(flag()).unless(one())(1)).calls["square"]
    assert [(each.binding.call, each.wanted) for each in call.when] == [  # type: ignore[union-attr]
        ("flag", True), ("one", False),
    ]  # fmt: skip


def test_a_condition_stays_with_the_other_options() -> None:
    step = square.when(flag).after("flag").with_options(name="other")
    assert (step.conditions, step.name) == (((flag, True),), "other")


def test_each_item_of_a_list_that_is_there_has_the_condition() -> None:
    calls = drawn(lambda: square.when(flag()).map([1, 2])).calls
    assert [len(calls[id].when) for id in ("square.0", "square.1")] == [1, 1]


def test_the_outputs_of_a_map_are_no_condition() -> None:
    assert refused(lambda: square.when(square.map(load()))(1), BadArguments) == (
        "when() of step square-2 is given the outputs of all items of the map square (HERE): "
        "which of them decides is not known.\n"
        "Decide in a @step that takes the list and returns True or False."
    )


def test_a_list_of_outputs_is_no_condition() -> None:
    assert refused(lambda: square.unless([flag(), flag()])(1), BadArguments) == (
        "unless() of step square is given outputs of several steps (HERE).\n"
        "Decide in a @step that takes them all."
    )


def test_what_is_no_plain_data_is_no_condition() -> None:
    assert "when() of step square is given a object (" in refused(
        lambda: square.when(object())(1), BadArguments
    )


def test_outside_a_pipeline_a_condition_decides_at_once() -> None:
    assert (square.when(True)(3), square.when(0)(3), square.unless(True)(3)) == (9, None, None)
    assert square.when(False).map([1, 2]) == [None, None]


def test_a_picture_shows_conditions_without_handing_anything_on() -> None:
    graph = drawn(lambda: square.unless(flag())(one()))
    assert list(graph.edges()) == [("flag", "square", "if not"), ("one", "square", "x")]
    assert "s0 -.->|if not| s2" in graph.to_mermaid()
    assert graph.pictured()[1] == [("flag", "square", ""), ("one", "square", "x")]


# As data.


def planned(body: Callable[[], Any]) -> Plan:
    return Plan("run", drawn(body), "module:name", {})


STEPS = {each.reference: each for each in (load, square, flag, one)}


def test_a_plan_with_both_comes_back() -> None:
    plan = planned(lambda: square.when(flag()).map(load(), plus=one()))
    bound = plan.graph.calls["square"].bindings
    assert {type(each) for each in bound.values()} == {Use}
    again = Plan.from_bytes(plan.to_bytes(), "run", STEPS.__getitem__)
    for id, call in plan.graph.calls.items():
        found = again.graph.calls[id]
        assert (found.over, found.when, found.mapped, found.upstream) == (
            call.over, call.when, call.mapped, call.upstream,
        )  # fmt: skip


def test_the_edges_of_a_plan_have_the_conditions() -> None:
    plan = planned(lambda: square.when(flag()).map(load(), plus=one()))
    assert set(edges_in(plan.to_bytes())) == set(plan.graph.edges())


def test_a_plan_without_either_is_what_it_always_was() -> None:
    plan = planned(lambda: square.map([one()], plus=one()))
    assert (
        b'["square.0",1,{"x":{"use":["one","output"]},"plus":{"use":["one-2","output"]}},[],true]'
        in plan.to_bytes()
    )
