"""Conditions: steps that run or are skipped, by what another step gave."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest

from penstock import Client, Failure, RunFailed, Stack, pipeline, step
from penstock.runtime.run import Run

Made = Callable[..., Stack]


class Check(NamedTuple):
    keep: bool
    why: str


class Parts(NamedTuple):
    low: int
    high: int


@step
def check(value: int) -> Check:
    return Check(value > 3, "large" if value > 3 else "")


@step
def given(value: Any) -> Any:
    return value


@step
def double(x: int) -> int:
    return 2 * x


@step
def split(x: int) -> Parts:
    return Parts(x, x + 1)


@step
def optional(x: int | None) -> str:
    return f"given {x}"


@step
def unknown(x) -> str:  # type: ignore[no-untyped-def] # that is what it is about
    return f"given {x}"


@step
def defaulted(x: int = None) -> str:  # type: ignore[assignment] # noqa: RUF013
    return f"given {x}"


@step
def first_of(values: list[int | None]) -> int:
    return next(value for value in values if value is not None)


@step
def strict(values: list[int]) -> int:
    return len(values)


@step
def named(of: Annotated[dict[str, int | None], "both"]) -> list[str]:
    return sorted(name for name, value in of.items() if value is None)


def ran(stack: Stack, body: Callable[[], Any], **options: Any) -> Run[Any]:
    @pipeline(progress=False, **options)
    def conditional() -> Any:
        return body()

    return conditional.on(stack).run()


def statuses(run: Run[Any]) -> dict[str, str]:
    return {view.id: str(view.status) for view in run}


def why(run: Run[Any]) -> dict[str, str]:
    return {view.id: view.record.why for view in run if view.status == "skipped"}


def test_a_step_runs_if_its_condition_holds(stack: Made) -> None:
    run = ran(stack(), lambda: double.when(check(5).keep)(5))
    assert (run.result(), run["double"].status) == (10, "completed")


def test_a_step_is_skipped_if_it_does_not(stack: Made) -> None:
    run = ran(stack(), lambda: double.when(check(1).keep)(5))
    assert run.status == "completed"
    assert run.result() is None
    assert why(run) == {"double": "keep of check is False"}


def test_unless_is_the_other_way_round(stack: Made) -> None:
    run = ran(stack(), lambda: [double.unless(check(1).keep)(1), double.unless(check(5).keep)(5)])
    assert run.result() == [2, None]
    assert why(run) == {"double-2": "keep of check-2 is True"}


@pytest.mark.parametrize("value", ["yes", [0], 1, -0.5, np.bool_(True), np.float64(2)])
def test_what_is_true_in_python_holds(stack: Made, value: Any) -> None:
    assert ran(stack(), lambda: double.when(given(value))(1)).result() == 2


@pytest.mark.parametrize("value", ["", [], 0, None, {}, np.bool_(False)])
def test_what_is_not_true_does_not(stack: Made, value: Any) -> None:
    assert ran(stack(), lambda: double.when(given(value))(1)).result() is None


def test_a_value_may_be_the_condition(stack: Made) -> None:
    run = ran(
        stack(), lambda: [double.when(True)(1), double.when(False)(2), double.unless(False)(3)]
    )
    assert run.result() == [2, None, 6]
    assert why(run) == {"double-2": "its condition is False"}


def test_all_of_several_conditions_must_hold(stack: Made) -> None:
    run = ran(stack(), lambda: double.when(check(5).keep).unless(given("no"))(1))
    assert why(run) == {"double": "output of given is 'no'"}


def test_each_output_of_a_skipped_step_is_none(stack: Made) -> None:
    run = ran(stack(), lambda: split.when(check(1).keep)(1))
    assert {name: made.load() for name, made in run["split"].outputs.items()} == {
        "low": None, "high": None,
    }  # fmt: skip
    assert run.result() == Parts(None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("consumer", [optional, unknown, defaulted])
def test_who_may_be_given_none_is(stack: Made, consumer: Any) -> None:
    run = ran(stack(), lambda: consumer(double.when(check(1).keep)(1)))
    assert run.result() == "given None"


def test_who_may_not_is_skipped_too(stack: Made) -> None:
    run = ran(stack(), lambda: double(double(double.when(check(1).keep)(1))))
    assert why(run) == {
        "double": "keep of check is False",
        "double-2": "double was skipped",
        "double-3": "double-2 was skipped",
    }


def test_two_branches_are_joined(stack: Made) -> None:
    def body(value: int) -> Any:
        keep = check(value).keep
        return first_of([double.when(keep)(value), given.unless(keep)(value)])

    assert ran(stack(), lambda: body(5)).result() == 10
    assert ran(stack(), lambda: body(1)).result() == 1


def test_a_list_that_may_not_hold_none_is_not_joined(stack: Made) -> None:
    run = ran(stack(), lambda: strict([double(1), double.when(check(1).keep)(1)]))
    assert why(run)["strict"] == "double-2 was skipped"


def test_a_dict_may_hold_none(stack: Made) -> None:
    run = ran(stack(), lambda: named({"a": double(1), "b": double.when(check(1).keep)(1)}))
    assert run.result() == ["b"]


def test_after_a_skipped_step_others_run(stack: Made) -> None:
    run = ran(stack(), lambda: double.after(split.when(check(1).keep)(1))(4))
    assert run.result() == 8


def test_a_condition_that_was_skipped_holds_neither_way(stack: Made) -> None:
    def body() -> Any:
        inner = check.when(check(1).keep)(5)
        return double.when(inner.keep)(1), double.unless(inner.keep)(1)  # type: ignore[union-attr]

    run = ran(stack(), body)
    assert run.result() == (None, None)
    assert why(run)["double-2"] == "check-2 was skipped"


def test_a_skipped_step_is_never_cached(stack: Made) -> None:
    body = lambda: double.when(check(1).keep)(1)  # noqa: E731
    ran(stack(), body)
    run = ran(stack(), body)
    assert statuses(run) == {"check": "cached", "double": "skipped"}
    assert run["double"].record.key == ""


def test_a_step_whose_condition_holds_is_cached_as_ever(stack: Made) -> None:
    body = lambda: double.when(check(5).keep)(1)  # noqa: E731
    ran(stack(), body)
    assert statuses(ran(stack(), body)) == {"check": "cached", "double": "cached"}
    assert statuses(ran(stack(), lambda: double(1))) == {"double": "cached"}


def test_a_condition_may_change_from_run_to_run(stack: Made) -> None:
    for value in (5, 1, 5):
        run = ran(stack(), lambda value=value: double.when(check(value).keep)(7))  # type: ignore[misc]
        assert run.result() == (14 if value == 5 else None)


def test_what_is_neither_true_nor_false_is_said(stack: Made) -> None:
    with pytest.raises(RunFailed) as caught:
        ran(stack(), lambda: double.when(given(np.arange(3)))(1))
    assert (
        "Step double is to run depending on output 'output' of step given, a ndarray that is "
        "neither true nor false: The truth value of an array" in str(caught.value)
    )
    assert caught.value.run["double"].status == "failed"


def test_a_failed_condition_keeps_its_step_from_running(stack: Made) -> None:
    @step
    def broken() -> bool:
        raise ValueError("no idea")

    with pytest.raises(RunFailed, match="Step broken"):
        ran(stack(), lambda: double.when(broken())(1))
    assert Client(stack()).run("last")["double"].status == "pending"


def test_skipped_steps_run_in_no_worker(stack: Made) -> None:
    run = ran(
        stack(workers="processes", max_workers=1),
        lambda: [double.when(check(1).keep)(1), optional(double.when(check(5).keep)(5))],
    )
    assert run.result() == [None, "given 10"]


# Maps.


def test_each_item_of_a_skipped_map_is_none(stack: Made) -> None:
    run = ran(stack(), lambda: double.when(check(1).keep).map(given([1, 2])))
    assert run.result() == [None, None]
    assert statuses(run) == {"check": "completed", "given": "completed", "double": "skipped"}


def test_a_list_with_them_goes_where_none_may_be(stack: Made) -> None:
    def body() -> Any:
        made = double.when(check(1).keep).map(given([1, 2]))
        return optional.map(made), double.map(made), strict(made), given(made)

    run = ran(stack(), body)
    assert run.result() == (["given None"] * 2, [None, None], None, [None, None])
    assert set(why(run)) == {"double", "double-2", "strict"}


def test_a_map_over_a_skipped_list_is_skipped(stack: Made) -> None:
    run = ran(stack(), lambda: optional.map(given.when(check(1).keep)([1])))
    assert why(run)["optional"] == "given was skipped"
    assert run.result() is None


def test_a_map_whose_condition_holds_runs(stack: Made) -> None:
    assert ran(stack(), lambda: double.when(check(5).keep).map(given([1, 2]))).result() == [2, 4]


def test_the_condition_of_a_map_of_a_known_list_is_that_of_each_item(stack: Made) -> None:
    run = ran(stack(), lambda: double.unless(check(5).keep).map([1, 2]))
    assert run.result() == [None, None]
    assert set(why(run)) == {"double.0", "double.1"}


def test_a_failure_that_was_collected_is_no_skipped_step(stack: Made) -> None:
    @step
    def picky(x: int) -> int:
        if x:
            raise ValueError("no")
        return x

    run = ran(stack(failure="collect"), lambda: given(picky.when(check(5).keep).map(given([0, 1]))))
    zero, failure = run.result()
    assert (zero, type(failure)) == (0, Failure)


# What is shown.


def test_the_output_of_the_run_says_why(stack: Made, capsys: pytest.CaptureFixture[str]) -> None:
    @pipeline
    def shown() -> Any:
        return double.when(check(1).keep)(1)

    shown.on(stack()).run()
    assert "  double  skipped: keep of check is False\n" in capsys.readouterr().err


def test_another_process_sees_why(stack: Made) -> None:
    run = ran(stack(), lambda: double.when(check(1).keep)(1))
    found = Client(stack()).run(run.id)["double"]
    assert (found.status, found.record.why) == ("skipped", "keep of check is False")
