"""Frames of columns and indexes of every kind, of random values, for hypothesis.

hypothesis draws what a frame is made of, which it can make simpler; the values follow from a
number, because thousands of draws for a frame would take long.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

Random = np.random.Generator
Maker = Callable[[Random, int], Any]

UNITS = ["s", "ms", "us", "ns"]
ZONES = [
    "UTC",
    "Europe/Berlin",
    ZoneInfo("America/Lima"),
    dt.UTC,
    dt.timezone(dt.timedelta(hours=-3)),
]
TEXTS: list[Any] = ["string[python]", "string[pyarrow]", object]
if pd.__version__ >= "3":
    TEXTS += ["str", pd.StringDtype("python", na_value=np.nan)]


def some(values: list[Any], chance: Random, size: int) -> list[Any]:
    return [values[number] for number in chance.integers(0, len(values), size)]


def raw(kind: str) -> Maker:
    """Whatever bits there are: NaN, infinite, the ends of every range."""

    def made(chance: Random, size: int) -> Any:
        dtype = np.dtype(kind)
        return np.frombuffer(chance.bytes(size * dtype.itemsize), dtype)

    return made


def times(kind: str) -> Maker:
    return lambda chance, size: instants(chance, size).view(kind)


def instants(chance: Random, size: int) -> Any:
    """Numbers that are a time in every unit, and some that are none."""
    made = chance.integers(-(2**31), 2**31, size)
    made[chance.random(size) < 0.3] = np.iinfo(np.int64).min
    return made


def booleans(chance: Random, size: int) -> Any:
    return chance.random(size) < 0.5


def zoned(unit: str, zone: Any) -> Maker:
    def made(chance: Random, size: int) -> Any:
        return pd.array(instants(chance, size), dtype=pd.DatetimeTZDtype(unit, zone))

    return made


def nullable(kind: str) -> Maker:
    return lambda chance, size: pd.array(some([0, 1, None], chance, size), dtype=kind)


def text(kind: Any) -> Maker:
    words = ["", "a", "Grüße 😀", "long enough for memory of its own", None]
    return lambda chance, size: pd.Series(some(words, chance, size), dtype=kind).array


def arrow(kind: pa.DataType) -> Maker:
    """With something under the nulls, and in more than one piece."""

    def made(chance: Random, size: int) -> Any:
        values = pa.array(chance.integers(0, 2, size)).cast(kind)
        hidden = pa.compute.if_else(pa.array(booleans(chance, size)), values, None)
        return pd.arrays.ArrowExtensionArray(pa.chunked_array([hidden[:2], hidden[2:]], kind))

    return made


def category(known: Any, ordered: bool) -> Maker:
    def made(chance: Random, size: int) -> Any:
        codes = chance.integers(-1, len(known), size)
        return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(known, ordered))

    return made


PLAIN: list[Maker] = [
    booleans,
    *map(raw, ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]),
    *(times(f"{kind}8[{unit}]") for kind in "Mm" for unit in UNITS),
    *(zoned(unit, zone) for unit in UNITS for zone in ZONES),
    *map(nullable, ["Int8", "Int64", "UInt16", "Float32", "Float64", "boolean"]),
    *map(text, TEXTS),
    *map(arrow, [pa.int32(), pa.float64(), pa.string(), pa.large_string(), pa.timestamp("us")]),
]
CATEGORIES = [
    category(pd.Index(["b", "a", "unused"], name="kinds"), ordered=True),
    category(pd.Index([3, 1, 2]), ordered=False),
    category(pd.RangeIndex(3), ordered=False),
    category(pd.date_range("2020", periods=3, freq="D", tz="Europe/Berlin"), ordered=True),
]
FREQUENCIES = ["D", "h", "B", "MS"]
NAMES = [None, "name", 7, ("a", 1)]
LABELS = [["a", "b", "c", "d"], [1, 5, 2, 3], ["x", "x", 1, ("t", 2)], [0.5, -1.0, 2.0, 7.0]]
ATTRS: list[Any] = [{}, {"unit": "m", "nested": [(1, 2.5), {"x"}]}]


@st.composite
def indexes(draw: st.DrawFn, chance: Random, size: int) -> Any:
    name = draw(st.sampled_from(NAMES))
    kind = draw(st.sampled_from(["range", "column", "regular", "levels"]))
    if kind == "range":
        return pd.RangeIndex(3, 3 - 2 * size, -2, name=name)
    if kind == "regular":
        start: Any = pd.Timestamp("2020-03-28", tz=draw(st.sampled_from([None, *ZONES])))
        frequency = draw(st.sampled_from(FREQUENCIES))
        return pd.date_range(start, periods=size, freq=frequency, name=name)
    if kind == "levels":
        levels = [make(chance, size) for make in draw(st.tuples(*[st.sampled_from(PLAIN)] * 2))]
        return pd.MultiIndex.from_arrays(levels, names=[name, None])
    return pd.Index(draw(st.sampled_from([*PLAIN, *CATEGORIES]))(chance, size), name=name)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Of up to four columns and six rows; every other row of a larger one, at times."""
    size, step = draw(st.integers(0, 6)), draw(st.sampled_from([1, 2]))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    makers = draw(st.lists(st.sampled_from([raw("f2"), *PLAIN, *CATEGORIES]), max_size=4))
    columns = dict(enumerate(make(chance, size * step) for make in makers))
    frame = pd.DataFrame(columns, index=draw(indexes(chance, size * step)))
    frame.columns = pd.Index(draw(st.sampled_from(LABELS))[: len(makers)], name="labels")
    frame.attrs = draw(st.sampled_from(ATTRS))
    return frame.iloc[::step]
