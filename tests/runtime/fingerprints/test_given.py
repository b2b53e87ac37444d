"""Walks through values that are given: what differs for a step is told apart, and nothing else."""

from __future__ import annotations

import collections
import datetime
import enum
import functools
import math
import struct
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.fingerprints.given import Given


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1


class Text(str):
    pass


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


class Slotted:
    __slots__ = ("inner",)

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class SaysMore:
    """Its pickle has more than its attributes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return SaysMore, (self.path,), {"text": self.path.read_text()}


def helper(x: float) -> float:
    return x + 1


def token(value: Any) -> str:
    return Given(Fingerprints()._survey).token(value)


# All values against a model: equal in value and types, but for the order of dicts.

atoms: Any = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=2)
    | st.binary(max_size=2)
    | st.sampled_from([
        0.0, -0.0, 1.0, math.nan, Color.RED, Color.BLUE, Level.LOW, Text("a"), Decimal("1.0"),
        Decimal(1), datetime.date(2020, 1, 1), datetime.time(1), 1j,
        datetime.timedelta(1), PurePosixPath("a"), np.int64(1), np.int32(1), np.float64(1),
        np.float32(1), np.str_("a"), np.bool_(True), range(1), range(3), helper, len, Fit, dict,
    ])
)  # fmt: skip


def around(inner: Any) -> Any:
    return (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2) | st.integers(0, 3), inner, max_size=3)
        | st.sets(atoms, max_size=3)
        | st.frozensets(atoms, max_size=3)
        | st.builds(Fit, inner, inner)
        | st.builds(Frozen, inner)
        | st.builds(Point, inner, inner)
        | st.builds(Plain, inner)
        | st.builds(Slotted, inner)
        | st.builds(Model, rate=st.floats(), tags=st.dictionaries(st.text(max_size=1), st.just(1)))
        | st.builds(functools.partial, st.just(helper), inner)
        | st.lists(st.tuples(st.text(max_size=1), inner), max_size=3).map(collections.OrderedDict)
        | st.lists(st.integers(0, 9)).map(np.array)
    )


values = st.recursive(atoms, around, max_leaves=6)


def same(one: Any, other: Any) -> bool:
    """Equal and of the same types all through, to the last bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other)
    if type(one) is dict:
        pairs = [sorted(value.items(), key=lambda item: token(item[0])) for value in (one, other)]
        return same(*pairs)
    if isinstance(one, collections.OrderedDict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, set | frozenset):
        return same(*(sorted(value, key=token) for value in (one, other)))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, functools.partial):
        return same([one.func, one.args, one.keywords], [other.func, other.args, other.keywords])
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tolist() == other.tolist()
    if isinstance(one, BaseModel):
        return same([vars(one), one.model_fields_set], [vars(other), other.model_fields_set])
    if is_dataclass(one) and not isinstance(one, type):
        return same(
            *([getattr(value, item.name) for item in fields(one)] for value in (one, other))
        )
    if isinstance(one, Plain | Slotted):
        return same(one.inner, other.inner)
    if isinstance(one, Decimal):
        return str(one) == str(other)
    return bool(one == other)


@given(one=values, other=values)
def test_what_differs_in_value_or_type_is_told_apart(one: Any, other: Any) -> None:
    assert (token(one) == token(other)) == same(one, other)


@given(one=values)
def test_a_copy_of_a_value_is_the_same(one: Any) -> None:
    assert token([one]) == token([rebuilt(one)])


def rebuilt(value: Any) -> Any:
    """An equal value whose dicts and sets were filled the other way round."""
    if type(value) in (list, tuple):
        return type(value)(map(rebuilt, value))
    if type(value) is dict:
        return {key: rebuilt(item) for key, item in reversed(value.items())}
    if type(value) in (set, frozenset):
        return type(value)(reversed(list(value)))
    if type(value) in (Fit, Frozen):
        return type(value)(*(rebuilt(getattr(value, item.name)) for item in fields(value)))
    if type(value) in (Plain, Slotted):
        return type(value)(rebuilt(value.inner))
    return value


def test_one_list_in_two_places_is_not_two_equal_ones() -> None:
    one = [1]
    assert token(Fit(one, one)) != token(Fit(one, [1]))
    assert token(Fit(Frozen(1), Frozen(1))) == token(Fit(same := Frozen(1), same))


def test_a_value_that_contains_itself_has_an_end() -> None:
    one: list[Any] = [Color.RED]
    one.append(one)
    other: list[Any] = [Color.RED, [Color.RED]]
    other[1].append(other)

    assert token(one) == token(one)
    assert token(one) != token(other)


def test_what_a_pickle_has_besides_the_attributes_counts(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    before = token(SaysMore(file))
    file.write_text("2")

    assert token(SaysMore(file)) != before
