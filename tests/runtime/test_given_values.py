"""Values that steps are given: which are one to the cache, and which are two."""

from __future__ import annotations

import collections
import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from pydantic import BaseModel

from penstock import Status, pipeline, step


class Level(IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: Any
    y: Any = 0


@dataclass
class Fit:
    rate: Any = 0.1
    tags: Any = field(default_factory=set)
    more: Any = None


@dataclass(frozen=True)
class Frozen:
    inner: Any = None


class Model(BaseModel):
    rate: float = 0.1
    tags: dict[str, int] = {}


class Plain:
    def __init__(self, inner: Any) -> None:
        self.inner = inner


def helper(x: float) -> float:
    return x + 1


def times(factor: int) -> Callable[[int], int]:
    def inner(x: int) -> int:
        return x * factor

    return inner


@step
def used(value: Any) -> str:
    return type(value).__name__


@pipeline(progress=False)
def using(value: Any) -> str:
    return used(value)


@pipeline(progress=False)
def mapping(values: list[Any]) -> Any:
    return used.map(values)


DIFFERENT: list[list[Any]] = [
    [1, 1.0, True, "1", np.int64(1), np.int32(1), np.float64(1), np.bool_(True), Level.LOW, 1j,
     Decimal(1), b"1", [1], (1,), {1}, frozenset({1}), {1: 1}, {True: 1}, {1.0: 1}, Point(1)],
    [0.0, -0.0, np.float64(0), np.float64(-0.0)],
    [math.nan, math.inf, -math.inf],
    [{1}, {True}, {1.0}, {"1"}],
    [Fit(1), Fit(True), Fit(1.0), Fit("1"), Fit(np.int64(1)), Frozen(1), Plain(1), Model(rate=1)],
    [Fit([1]), Fit((1,)), Fit([[1]]), Fit({1: None})],
    [lambda x: x, lambda x: x + 1, lambda x: x + 1.0, helper],
    [functools.partial(helper, 1), functools.partial(helper, 2), functools.partial(helper, x=1)],
    [Model(), Model(rate=0.1)],
    [times(2), times(3)],
]  # fmt: skip


@pytest.mark.parametrize("values", DIFFERENT)
def test_different_values_are_different_parameters(values: list[Any]) -> None:
    for _ in range(2):
        statuses = [using.run(value)["used"].status for value in values]

    assert set(statuses) == {Status.CACHED}
    keys = [using.run(value)["used"].record.key for value in values]
    assert len(set(keys)) == len(values)


EQUAL: dict[str, tuple[Any, Any]] = {
    "a dict": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "a dict in a dict": ({"x": {"a": 1, "b": {2}}}, {"x": {"b": {2}, "a": 1}}),
    "a dict in a dataclass": (Fit(more={"a": 1, "b": 2}), Fit(more={"b": 2, "a": 1})),
    "a dataclass in a list": ([Fit(more={"a": 1, "b": 2})], [Fit(more={"b": 2, "a": 1})]),
    "a dataclass in a dict": ({"x": Fit(1), "y": 2}, {"y": 2, "x": Fit(1)}),
    "a model": (Model(tags={"a": 1, "b": 2}), Model(tags={"b": 2, "a": 1})),
    "a model in a tuple": (
        (Model(tags={"a": 1, "b": 2}), 1), (Model(tags={"b": 2, "a": 1}), 1),
    ),
    "a lambda": (lambda x: helper(x) + 1, lambda x: helper(x) + 1),
    "a closure": (times(2), times(2)),
    "a lambda in a dataclass": (Fit(lambda x: x), Fit(lambda x: x)),
    "nan": (math.nan, float("nan")),
    "nan in an array": (np.array([math.nan]), np.array([float("nan")])),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUAL)
def test_equal_values_are_one_parameter(name: str) -> None:
    one, other = EQUAL[name]
    using.run(one)

    assert using.run(other)["used"].status is Status.CACHED
    assert {view.status for view in mapping.run([one, other])} == {Status.CACHED}


def test_the_order_of_an_ordered_dict_counts() -> None:
    using.run(collections.OrderedDict(a=1, b=2))

    run = using.run(collections.OrderedDict(b=2, a=1))

    assert run["used"].status is Status.COMPLETED


def test_what_is_too_large_to_be_walked_through_counts_by_its_bytes() -> None:
    large = {"rows": np.arange(200_000), "how": Fit()}
    using.run(large)

    assert using.run(dict(large))["used"].status is Status.CACHED
    assert using.run({**large, "how": Fit(2)})["used"].status is Status.COMPLETED


PROJECT = """\
import json, sys
from dataclasses import dataclass, field
from penstock import pipeline, step
import tools

@dataclass
class Config:
    tags: set[str] = field(default_factory=set)
    sizes: dict[str, int] = field(default_factory=dict)

@step
def used(value: object, how: object) -> str:
    return type(value).__name__

@pipeline(progress=False)
def using(how: object) -> str:
    return used([Config({"a", "b", "c", "d"}, {"a": 1, "b": 2})], how)

if __name__ == "__main__":
    GIVEN = {"lambda": lambda x: tools.scaled(x), "two": [lambda x: tools.scaled(x), lambda x: x],
             "function": tools.scaled, "class": tools.Scale, "partial": tools.PARTIAL,
             "closure": tools.by(2), "method": tools.Scale().by}
    print(json.dumps({name: using.run(how)["used"].status for name, how in GIVEN.items()}))
"""

TOOLS = """\
import functools
import json

def factor():
    return 2

def scaled(x):
    return x * factor()

def by(n):
    def inner(x):
        return n * scaled(x)
    return inner

class Scale:
    def by(self, x):
        return scaled(x)

PARTIAL = functools.partial(scaled)
"""


def test_functions_and_sets_are_the_same_in_another_process(python: Any, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(PROJECT)
    (tmp_path / "tools.py").write_text(TOOLS)
    python("main.py", PYTHONHASHSEED="1")

    again = python("main.py", PYTHONHASHSEED="2").stdout

    assert {name for name, status in json.loads(again).items() if status != "cached"} == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [("return 2", "return 3"), ("x * factor()", "x + factor()")],
    ids=["what it leads to", "the function"],
)
def test_a_function_that_is_given_counts_with_all_that_it_leads_to(
    python: Any, tmp_path: Path, old: str, new: str
) -> None:
    (tmp_path / "main.py").write_text(PROJECT)
    (tmp_path / "tools.py").write_text(TOOLS)
    python("main.py")
    (tmp_path / "tools.py").write_text(TOOLS.replace(old, new))

    again = python("main.py").stdout

    assert {name for name, status in json.loads(again).items() if status == "cached"} == set()


def test_lines_above_a_lambda_and_a_comment_in_it_do_not_count(python: Any, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(PROJECT)
    (tmp_path / "tools.py").write_text(TOOLS)
    python("main.py")
    (tmp_path / "main.py").write_text(f"\n\n{PROJECT}")
    commented = TOOLS.replace("* factor()", "* factor()  # twice")
    (tmp_path / "tools.py").write_text(f"# above\n\n{commented}")

    again = python("main.py").stdout

    assert {name for name, status in json.loads(again).items() if status != "cached"} == set()


def test_items_of_a_list_that_a_step_makes_are_what_they_are_in_the_pipeline() -> None:
    @step
    def fitted(how: Fit) -> Any:
        return how.rate

    @step
    def made() -> list[Fit]:
        return [Fit(more={"a": 1, "b": 2}), Fit(tags={"a", "b"})]

    @pipeline(progress=False)
    def mapping_given() -> Any:
        return fitted.map([Fit(more={"b": 2, "a": 1}), Fit(tags={"b", "a"})])

    @pipeline(progress=False)
    def mapping_made() -> Any:
        return fitted.map(made())

    mapping_given.run()

    run = mapping_made.run()

    assert [view.status for view in run["fitted"]] == [Status.CACHED, Status.CACHED]
