"""Plain data: what is written as text comes back equal and of the same types."""

import collections
import enum
import json
import math
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.model import plain
from penstock.model.plain import NotPlain


def same(one: Any, other: Any) -> bool:
    """Equal and of the same types all through; -0.0 is not 0.0, and NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one), list(other)) and same(list(one.values()), list(other.values()))
    if isinstance(one, set | frozenset):
        mine, theirs = (sorted(map(plain.canonical, items)) for items in (one, other))
        return mine == theirs
    return bool(one == other)


HUGE = 2**12_000
"""More than is written in decimal, and less than Python refuses to show."""
texts: Any = st.text() | st.sampled_from(["$tuple", "$dict", "$", "", "\ud800", "\x00", "ü"])
scalars: Any = (
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary()
    | st.sampled_from([9_999, 10_000, 12_000]).map(lambda bits: -(2**bits))
    | st.sampled_from([-0.0, math.inf, -math.inf, math.nan, 5e-324])
)  # fmt: skip
hashables: Any = st.recursive(
    scalars,
    lambda inside: (
        st.lists(inside, max_size=3).map(tuple) | st.frozensets(inside, max_size=3)
    ),
    max_leaves=4,
)  # fmt: skip
values: Any = st.recursive(
    scalars,
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.lists(inside, max_size=4).map(tuple)
        | st.dictionaries(texts, inside, max_size=4)
        | st.dictionaries(hashables, inside, max_size=4)
        | st.sets(hashables, max_size=4)
        | st.frozensets(hashables, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
@example([{"$tuple": [1]}, {"$float": "nan"}, {"$dict": [[1, 2]]}, {"$": 1}, {"$a": 1, "b": 2}])
@example({(1, ("a",)): {2: b"\xff"}, None: -0.0, True: 1, 1.5: {frozenset({1}): set()}})
@example([HUGE, -HUGE, math.nan, -math.inf, "\ud800"])
def test_what_is_written_comes_back_the_same(value: Any) -> None:
    assert same(plain.decode(plain.encode(value)), value)
    assert same(plain.decode(plain.encode(value).encode()), value)


@given(values)
def test_the_text_is_strict_json_in_ascii(value: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = plain.encode(value)

    json.loads(text, parse_constant=refuse)
    assert text.isascii()


@given(values)
def test_what_comes_back_is_made_anew(value: Any) -> None:
    text = plain.encode([value])

    first = plain.decode(text)
    first.clear()
    assert same(plain.decode(text), [value])


def shuffled(value: Any, pick: Any) -> Any:
    """The same value, its dicts in another order."""
    if isinstance(value, dict):
        order = pick(st.permutations(list(value.items())))
        return {key: shuffled(item, pick) for key, item in order}
    if type(value) in (list, tuple):
        return type(value)(shuffled(item, pick) for item in value)
    return value


@given(values, st.data())
def test_the_canonical_form_does_not_see_the_order_of_keys(value: Any, data: Any) -> None:
    other = shuffled(value, data.draw)

    assert plain.canonical(other) == plain.canonical(value)


@given(values)
def test_the_canonical_form_comes_back_equal(value: Any) -> None:
    back = plain.decode(plain.canonical(value))

    assert plain.canonical(back) == plain.canonical(value)


@given(values, values)
def test_values_that_differ_differ_in_both_forms(one: Any, other: Any) -> None:
    assert (plain.encode(one) == plain.encode(other)) == same(one, other)
    if plain.canonical(one) == plain.canonical(other):
        assert type(one) is type(other)


ALIKE = [1, 1.0, True, "1", b"1", "true", None, "null", 0, -0.0, 0.0, False, "", b"", [], (), {},
         set(), frozenset(), [[]], [1], (1,), {1}, frozenset({1}), {1: 1}, {1.0: 1}, {True: 1},
         {"1": 1}, {"$tuple": [1]}, {"$tuple": []}, [["$tuple", [1]]], {"$int": "0x1"},
         math.nan, "nan", math.inf, -math.inf]  # fmt: skip


def test_values_that_look_alike_do_not_meet() -> None:
    assert len({plain.canonical(value) for value in ALIKE}) == len(ALIKE)
    assert len({plain.canonical([value]) for value in ALIKE}) == len(ALIKE)
    assert len({plain.encode({"a": value}) for value in ALIKE}) == len(ALIKE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ü", '"\\u00fc"'),
        ([1, 2.5, None, True], "[1,2.5,null,true]"),
        ({"b": 1, "a": 2}, '{"b":1,"a":2}'),
        ((1, "a"), '{"$tuple":[1,"a"]}'),
        ({2, 1}, '{"$set":[1,2]}'),
        (frozenset({1}), '{"$frozenset":[1]}'),
        (b"\x00\xff", '{"$bytes":"AP8="}'),
        (math.nan, '{"$float":"nan"}'),
        (-math.inf, '{"$float":"-inf"}'),
        ({1: "a"}, '{"$dict":[[1,"a"]]}'),
        ({"$x": 1}, '{"$dict":[["$x",1]]}'),
        (2**10_000, '{"$int":"0x1' + "0" * 2500 + '"}'),
    ],
)
def test_how_it_is_written(value: Any, text: str) -> None:
    assert plain.encode(value) == text


class Text(str):
    __slots__ = ()


class Point(NamedTuple):
    x: int


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [Text("a"), Number.ONE, Point(1), np.float64(1), np.int64(1), np.array([1]), Decimal(1),
     bytearray(b"a"), collections.OrderedDict(a=1), collections.defaultdict(int), object(),
     range(3), 1j, len, int],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_anything_else_is_not_plain(value: Any) -> None:
    for around in (value, [value], {"a": (value,)}, {("k",): value}):
        for write in (plain.encode, plain.canonical):
            with pytest.raises(NotPlain, match=f"^{type(value).__qualname__} is not plain data$"):
                write(around)


def test_what_contains_itself_is_not_plain() -> None:
    rows: list[Any] = []
    rows.append({"a": (rows,)})

    for write in (plain.encode, plain.canonical):
        with pytest.raises(NotPlain, match=r"^it contains itself$"):
            write(rows)


def test_an_integer_may_be_longer_than_python_shows() -> None:
    for value in (2**20_000 + 1, -(2**20_000)):
        assert plain.decode(plain.encode(value)) == value
        assert plain.decode(plain.encode({"a": [value]})) == {"a": [value]}


def test_the_same_thing_twice_is_plain() -> None:
    row = [1]

    assert plain.decode(plain.encode([row, row, {"a": row}])) == [[1], [1], {"a": [1]}]


def nested(depth: int, kind: str) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"list": [value], "tuple": (value,), "dict": {"a": value}, "pairs": {1: value}}[
            kind
        ]
    return value


@pytest.mark.parametrize("kind", ["list", "tuple", "dict", "pairs"])
def test_what_is_nested_too_deeply_is_not_plain(kind: str) -> None:
    for write in (plain.encode, plain.canonical):
        with pytest.raises(NotPlain, match=r"^nested too deeply$"):
            write(nested(5000, kind))


@pytest.mark.parametrize("kind", ["list", "tuple", "dict", "pairs"])
def test_what_could_be_written_can_be_read(kind: str) -> None:
    written = {}
    for depth in range(50, 1000, 50):
        try:
            written[depth] = plain.encode(nested(depth, kind))
        except NotPlain:
            break

    assert max(written) >= 200
    for depth, text in written.items():
        assert plain.decode(text) == nested(depth, kind)
