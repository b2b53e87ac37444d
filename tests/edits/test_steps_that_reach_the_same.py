"""Steps of which each leads to the other, or reads its whole module: each is still its own."""

from typing import Any

from penstock import pipeline, step

UP, DOWN = 1, 2


@step
def up() -> Any:
    return eval("UP")


@step
def down() -> Any:
    return eval("DOWN")


@step
def ping(n: int) -> list[int]:
    return [1, *pong(n - 1)] if n else []


@step
def pong(n: int) -> list[int]:
    return [2, *ping(n - 1)] if n else []


@step
def called(function: Any) -> Any:
    return function()


def left() -> Any:
    return eval("UP")


def right() -> Any:
    return eval("DOWN")


def result_of(each: Any, *given: object) -> Any:
    @pipeline(progress=False)
    def one() -> Any:
        return each(*given)

    return one.run().result()


def test_two_steps_that_read_their_module_as_a_whole_are_two() -> None:
    assert [result_of(up), result_of(down)] == [1, 2]


def test_two_steps_that_call_each_other_are_two() -> None:
    assert [result_of(ping, 3), result_of(pong, 3)] == [[1, 2, 1], [2, 1, 2]]


def test_two_functions_that_read_their_module_as_a_whole_are_two_parameters() -> None:
    assert [result_of(called, left), result_of(called, right)] == [1, 2]
