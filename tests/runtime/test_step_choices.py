"""Options of steps from outside the code, applied to a graph."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Graph, pipeline, step
from penstock.errors import BadConfiguration
from penstock.model.retry import Retry
from penstock.runtime.step_choices import StepChoices, names, with_options


@step(timeout=1)
def double(value: int) -> int:
    return 2 * value


@step
def total(values: list[int]) -> int:
    return sum(values)


@pipeline
def flow() -> int:
    return total([double(1), *double.map([2, 3]), *double.map([4])])


def drawn() -> Graph:
    return flow.graph()


def test_a_call_is_known_by_its_step_its_map_and_its_id() -> None:
    found = {id: list(names(call)) for id, call in drawn().calls.items()}
    assert found["double-2.1"] == ["double", "double-2", "double-2.1"]
    assert found["total"] == ["total", "total"]


def test_nothing_told_is_the_same_graph() -> None:
    graph = drawn()
    assert with_options(graph, {}) is graph


def test_calls_that_are_told_the_same_share_a_step() -> None:
    graph = with_options(drawn(), {"double": {"retries": 1}, "double-2.1": {"retries": 2}})
    steps = {id: call.step for id, call in graph.calls.items()}
    assert steps["double"] is steps["double-2.0"] is steps["double-3.0"]
    assert steps["double-2.1"] is not steps["double"]


def test_what_is_not_told_stays_as_the_code_has_it() -> None:
    graph = with_options(drawn(), {"double": {"retries": {"times": 1, "delay": 0}}})
    assert graph.calls["double"].step.options.timeout == 1
    assert graph.calls["double"].step.options.retries == Retry(times=1, delay=0)


@given(
    st.fixed_dictionaries(
        {}, optional={name: st.integers(0, 9) for name in ("double", "double-2", "double-2.1")}
    )
)
def test_the_most_exact_name_wins(told: dict[str, int]) -> None:
    graph = with_options(drawn(), {name: {"retries": count} for name, count in told.items()})
    exact = [told[name] for name in ("double", "double-2", "double-2.1") if name in told]
    assert graph.calls["double-2.1"].step.options.retries == (exact or [0])[-1]


@pytest.mark.parametrize("name", ["double", "double-2", "double-2.1"])
def test_a_cache_that_is_off_by_any_name_is_off(name: str) -> None:
    told = {each: {"cache": True} for each in ("double", "double-2", "double-2.1")}
    graph = with_options(drawn(), {**told, name: {"cache": False}})
    assert graph.calls["double-2.1"].step.options.cache is False


def test_steps_that_are_not_there_are_told_all_at_once() -> None:
    choices = StepChoices(
        {"a": {}, "duoble": {}, "total": {}}, {"a": (2, 3), "duoble": (3, 3)}, "f"
    )
    with pytest.raises(BadConfiguration) as caught:
        choices.applied(drawn())
    known = "'double', 'double-2', 'double-2.0', 'double-2.1', 'double-3', 'double-3.0', 'total'."
    assert str(caught.value).splitlines()[1:] == [
        f"  f:2:3: Pipeline 'flow' has no step 'a'. Its steps: {known}",
        f"  f:3:3: Pipeline 'flow' has no step 'duoble'. Its steps: {known} Did you mean 'double'?",
    ]
