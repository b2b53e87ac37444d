"""Whether what is given fits what is wanted: refused only if surely wrong."""

import collections.abc as abc
import datetime
import enum
import numbers
import typing
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    Protocol,
    TypeVar,
)

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import pipeline, step
from penstock.errors import TypeMismatch
from penstock.model.fit import shown, surely_wrong

T = TypeVar("T")
Name = NewType("Name", str)
Names = NewType("Names", list[Name])


class Base: ...


class Derived(Base): ...


class Other: ...


class Box(Generic[T]): ...


class Abstract(abc.Sized): ...


class Trains(Protocol):
    def train(self) -> None: ...


@typing.runtime_checkable
class Closes(Protocol):
    def close(self) -> None: ...


class Row(typing.TypedDict):
    a: int


class Point(NamedTuple):
    x: int
    y: int


class Color(enum.Enum):
    RED = 1


class Size(enum.IntEnum):
    BIG = 1


class Shade(enum.StrEnum):
    DARK = "dark"


@dataclass
class Config:
    lr: float


FITS: list[tuple[Any, Any]] = [
    (int, int),
    (int, float),
    (bool, int),
    (bool, complex),
    (int, Any),
    (Any, int),
    (int, object),
    (object, int),
    (Derived, Base),
    (Base, Derived),
    (int, Optional[int]),  # noqa: UP045
    (Optional[int], int),  # noqa: UP045
    (int | str, str | bytes),
    (None, Optional[int]),  # noqa: UP045
    (type(None), None),
    (int | Any, str),
    (str, Literal["a", "b"]),
    (Literal["a"], str),
    (Literal[1, "a"], str),
    (Color, Literal[Color.RED]),
    (str, Name),
    (Name, str),
    (list[str], Names),
    (int, T),
    (T, int),
    (list[T], list[int]),
    (Other, Trains),
    (int, Trains),
    (Other, Closes),
    (Base, Abstract),
    (list, abc.Sized),
    (list[int], abc.Sequence[int]),
    (list[int], abc.Iterable[float]),
    (list[int], list),
    (list, list[int]),
    (list[Any], list[int]),
    (typing.List[int], list[int]),  # noqa: UP006
    (str, abc.Sequence[str]),
    (dict[str, int], abc.Mapping[str, float]),
    (dict[str, int], abc.Iterable[str]),
    (defaultdict[str, int], dict[str, int]),
    (OrderedDict, dict[str, int]),
    (Row, dict[str, Any]),
    (dict[str, int], Row),
    (Point, tuple[int, int]),
    (tuple[int, int], Point),
    (tuple[int, str], tuple[Any, Any]),
    (tuple[int, str], tuple[float, str]),
    (tuple[int, ...], tuple[int, int]),
    (tuple[int, str], abc.Sequence[int]),
    (tuple, tuple[int, int]),
    (set[int], abc.Set[int]),
    (type(len), Callable[[Any], int]),
    (type(shown), Callable[..., Any]),
    (type, Callable[[], Any]),
    (type[int], type),
    (Box[int], Box[str]),
    (np.float64, float),
    (np.float32, float),
    (np.int64, int),
    (np.int64, float),
    (np.bool_, bool),
    (float, np.float64),
    (np.ndarray, float),
    (npt.NDArray[np.float64], np.ndarray),
    (np.ndarray, npt.NDArray[np.int8]),
    (np.ndarray, npt.ArrayLike),
    (list[float], npt.ArrayLike),
    (int, npt.ArrayLike),
    (np.ndarray, abc.Sequence[float]),
    (pd.DataFrame, abc.Mapping[str, Any]),
    (Size, int),
    (int, Size),
    (str, Shade),
    (Decimal, float),
    (int, numbers.Real),
    (float, numbers.Real),
    (datetime.datetime, datetime.date),
    (Path, Path),
    (type(Path()), Path),
    ("NotThere", int),
    (list["NotThere"], list[int]),  # type: ignore[name-defined]  # noqa: F821
    (Annotated[int, "count"], float),
    (int, Annotated[float, "rate"]),
    (Annotated[int, ["unhashable"]], float),
    (int, Annotated[int | None, {"un": "hashable"}]),
]

DOES_NOT: list[tuple[Any, Any]] = [
    (float, int),
    (int, bool),
    (complex, float),
    (int, str),
    (str, int),
    (str, float),
    (str, bytes),
    (bytes, str),
    (None, int),
    (int, None),
    (str, Optional[int]),  # noqa: UP045
    (int | float, str | bytes),
    (str | None, int),
    (int, Literal["a"]),
    (Literal["a"], int),
    (str, Literal[Color.RED]),
    (int, Name),
    (Name, int),
    (list[int], Names),
    (Base, Other),
    (int, Base),
    (Base, int),
    (int, Closes),
    (int, Abstract),
    (int, abc.Sized),
    (int, abc.Iterable[int]),
    (list[int], list[str]),
    (list[list[int]], list[list[str]]),
    (list[float], list[int]),
    (list[int], abc.Sequence[str]),
    (list[int], abc.Iterable[str]),
    (list[int] | None, list[str]),
    (list[int], tuple[int, ...]),
    (tuple[int, ...], list[int]),
    (list[int], set[int]),
    (list[int], dict[str, int]),
    (list[int], int),
    (str, list[str]),
    (dict[str, int], dict[int, int]),
    (dict[str, int], dict[str, str]),
    (dict[str, int], abc.Mapping[str, str]),
    (dict[str, list[int]], dict[str, list[str]]),
    (dict[str, int], list[str]),
    (Row, list[int]),
    (int, Row),
    (tuple[int, str], tuple[int]),
    (tuple[int, str], tuple[str, int]),
    (tuple[int, ...], tuple[str, ...]),
    (tuple[int, str], tuple[str, ...]),
    (Point, int),
    (int, Point),
    (set[int], set[str]),
    (frozenset[int], frozenset[str]),
    (str, Callable[..., Any]),
    (int, type),
    (np.float64, int),
    (np.float64, str),
    (np.bool_, str),
    (np.ndarray, bool),
    (np.ndarray, list),
    (np.ndarray, list[float]),
    (list, np.ndarray),
    (np.ndarray, pd.DataFrame),
    (pd.DataFrame, pl.DataFrame),
    (pd.DataFrame, np.ndarray),
    (pd.DataFrame, dict),
    (pd.Series, str),
    (str, Path),
    (Path, str),
    (Color, Size),
    (int, Color),
    (Decimal, int),
    (float, numbers.Integral),
    (datetime.date, str),
    (dict[str, float], Config),
    (Config, dict[str, float]),
    (Annotated[str, "name"], int),
    (str, Annotated[int, ["unhashable"]]),
    (Annotated[list[int], {"un": "hashable"}], list[str]),
]


@pytest.mark.parametrize(("have", "want"), FITS, ids=str)
def test_what_may_fit_passes(have: Any, want: Any) -> None:
    assert not surely_wrong(have, want)


@pytest.mark.parametrize(("have", "want"), DOES_NOT, ids=str)
def test_what_surely_does_not_fit_is_wrong(have: Any, want: Any) -> None:
    assert surely_wrong(have, want)


hints: Any = st.deferred(
    lambda: st.sampled_from(
        [int, float, str, None, Any, object, Base, Derived, Row, Point, Color, Trains, Name, T,
         np.ndarray, Literal[1, "a"], list, tuple]
    )
    | hints.map(lambda hint: list[hint])
    | hints.map(lambda hint: Annotated[hint, "name"])
    | hints.map(lambda hint: hint | None if hint is not None else int)
    | st.lists(hints, min_size=1, max_size=3).map(lambda inside: tuple[tuple(inside)])
    | st.tuples(hints, hints).map(lambda pair: dict[pair[0], pair[1]])
)  # fmt: skip


@given(hints)
def test_every_type_fits_itself_its_optional_and_anything(hint: Any) -> None:
    for want in (hint, Optional[hint], Any, object, Annotated[hint, []]):  # noqa: UP045
        assert not surely_wrong(hint, want)
        assert not surely_wrong(want, hint)


@given(hints, hints)
def test_a_list_is_as_wrong_as_what_is_inside(have: Any, want: Any) -> None:
    assert surely_wrong(list[have], list[want]) == surely_wrong(have, want)


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, "int"),
        (None, "None"),
        (type(None), "None"),
        (list[int], "list[int]"),
        (Optional[int], "Optional[int]"),  # noqa: UP045
        (int | None, "int | None"),
        (Annotated[int, "x"], "int"),
        (Literal["a"], "Literal['a']"),
        (Any, "Any"),
        (Point, "Point"),
    ],
)
def test_types_are_shown_as_they_are_written(hint: Any, text: str) -> None:
    assert shown(hint) == text


@step
def load() -> str:
    return ""


@step
def both() -> Point:
    return Point(1, 2)


@step
def untyped(x):  # type: ignore[no-untyped-def]
    return x


@step
def half(n: int, by: int = None) -> float:  # type: ignore[assignment]  # noqa: RUF013
    return n / 2


@step
def total(of: list[int]) -> int:
    return sum(of)


@step
def three(of: tuple[int, str, int]) -> int:
    return 1


@step
def table(of: dict[str, int]) -> int:
    return 1


@step
def deep(of: Annotated[dict[str, list[int]] | None, "x"]) -> int:
    return 1


@step
def either(of: list[int] | dict[str, str] | list[str]) -> int:
    return 1


def drawn(call: Callable[[], Any]) -> None:
    @pipeline
    def main() -> None:
        call()

    main.graph()


CONVERT = "Change the annotation on one side, or convert the value in a @step."


N = "Parameter 'n' of step half is int, but is given"
N1 = N.replace("half", "half.1")
OF = "arameter 'of' of step"
LOADED = "output 'output' of step load, which is str"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: half(load()), f"{N} {LOADED}"),
        (lambda: half(1.5), f"{N} the value 1.5, which is float"),
        (lambda: half("x" * 40), f"{N} the value 'xxxxxxxxxxxx...xxxxxxxxxxxxx', which is str"),
        (lambda: half(None), f"{N} a value, which is None"),
        (lambda: half(Other()), f"{N} a value, which is Other"),
        (lambda: half.map([1, "a"]), f"{N1} the value 'a', which is str"),
        (lambda: half.map([1, load()]), f"{N1} {LOADED}"),
        (lambda: total(3), f"P{OF} total is list[int], but is given the value 3, which is int"),
        (lambda: total([1, load()]), f"An item of p{OF} total is int, but is given {LOADED}"),
        (
            lambda: table({"a": 1, "b": load()}),
            f"An item of p{OF} table is int, but is given {LOADED}",
        ),
        (lambda: deep({"a": [1, load()]}), f"An item of p{OF} deep is int, but is given {LOADED}"),
        (
            lambda: three((both().x, both().y, load())),
            f"An item of p{OF} three is str, but is given output 'y' of step both-2, which is int",
        ),
    ],
)
def test_a_mismatch_is_told_with_the_line_of_the_call(call: Any, said: str) -> None:
    with pytest.raises(TypeMismatch) as caught:
        drawn(call)

    assert str(caught.value) == f"{said} ({__file__}:{call.__code__.co_firstlineno}).\n{CONVERT}"


@pytest.mark.parametrize(
    "call",
    [
        lambda: untyped(untyped(load())),
        lambda: half(both().x),
        lambda: half(1, None),
        lambda: half(untyped(1)),
        lambda: total([1, both().x, untyped(2)]),
        lambda: total([]),
        lambda: total(half.map([])),
        lambda: three((1, load(), both().x)),
        lambda: table({"a": both().x}),
        lambda: deep({"a": [1, both().x]}),
        lambda: deep({"a": untyped(1)}),
        lambda: either([load()]),
        lambda: either([both().x]),
        lambda: untyped([load(), {"a": both().x}]),
    ],
)
def test_what_may_fit_is_drawn(call: Any) -> None:
    drawn(call)


def test_the_arguments_of_a_pipeline_are_checked() -> None:
    @pipeline
    def main(n: int, rate: float = 1) -> None: ...

    main.graph(1, 2)
    with pytest.raises(TypeMismatch) as caught:
        main.graph("a")
    assert str(caught.value) == (
        "Parameter 'n' of pipeline main is int, but is given the value 'a', which is str "
        f"({main.signature.where}).\n{CONVERT}"
    )
