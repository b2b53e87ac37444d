"""Frames of every kind come back as they were, as views, and are nobody else's."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from random_frames import frames
from same_frames import check
from there_and_back import dumped, loaded

from penstock.artifacts.formats.pandas import PandasFrame


@settings(max_examples=80, deadline=None)
@given(frames())
def test_any_frame_comes_back(frame: pd.DataFrame) -> None:
    id, data = dumped(frame)
    found = loaded(id, data)

    assert id == "pandas-arrow/2"
    check(frame, found, exact="equiv")


def trusting(data: Any) -> pd.DataFrame:
    format = PandasFrame(None)
    format.trusted = True
    return format.load(data)


@settings(max_examples=40, deadline=None)
@given(frames())
def test_a_signed_frame_comes_back_without_being_checked(frame: pd.DataFrame) -> None:
    check(frame, trusting(dumped(frame)[1]), exact="equiv")


@settings(max_examples=40, deadline=None)
@given(frames())
def test_equal_frames_are_equal_bytes(frame: pd.DataFrame) -> None:
    """However their memory came to be."""
    again = pickle.loads(pickle.dumps(frame))

    assert dumped(frame) == dumped(frame.copy(deep=True)) == dumped(again)


def masked(hidden: int) -> Any:
    return pd.arrays.IntegerArray(np.array([1, hidden]), np.array([False, True]))


def of_arrow(values: list[Any], hidden: Any, beside: list[Any]) -> Any:
    """Part of an array, with something under its nulls and on both sides of it."""
    every = [*beside, *values, *beside]
    filled = pa.array([hidden if value is None else value for value in every])
    known = np.array([value is not None for value in every])
    bitmap = pa.py_buffer(np.packbits(known, bitorder="little"))
    whole = pa.Array.from_buffers(filled.type, len(every), [bitmap, *filled.buffers()[1:]])
    part = whole.slice(len(beside), len(values))
    return pd.arrays.ArrowExtensionArray(pa.chunked_array([part]))


HIDDEN = {
    "nullable": (masked(0), masked(7)),
    "numbers": (of_arrow([1, None], 0, []), of_arrow([1, None], 7, [8, 9])),
    "whole": (of_arrow([1, 2], 0, []), of_arrow([1, 2], 0, [8, 9])),
    "flags": (of_arrow([True, None], False, []), of_arrow([True, None], True, [True])),
    "text": (of_arrow(["a", None], "", []), of_arrow(["a", None], "hidden", ["b", "c"])),
    "whole text": (of_arrow(["a", "b"], "", []), of_arrow(["a", "b"], "", ["c"])),
    "instants": (
        of_arrow([pd.Timestamp("2020"), None], pd.Timestamp("1970"), []),
        of_arrow([pd.Timestamp("2020"), None], pd.Timestamp("2021"), [pd.Timestamp("2022")]),
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_lies_under_a_missing_value_makes_no_difference(name: str) -> None:
    one, other = (pd.DataFrame({"v": array}) for array in HIDDEN[name])

    pd.testing.assert_frame_equal(one, other)
    assert dumped(one) == dumped(other)


@settings(max_examples=40, deadline=None)
@given(frames())
def test_what_a_consumer_writes_reaches_nobody(frame: pd.DataFrame) -> None:
    kept = frame.copy(deep=True)
    id, data = dumped(frame)
    stored = bytes(data)
    found = loaded(id, data)
    if not frame.empty:
        for position in range(frame.shape[1]):
            found.iloc[0, position] = found.iloc[-1, position]
            found.iloc[-1, position] = found.iloc[len(found) // 2, position]

    check(kept, frame)
    check(kept, loaded(id, bytearray(stored)), exact="equiv")


@settings(max_examples=30, deadline=None)
@given(frames())
def test_any_series_comes_back(frame: pd.DataFrame) -> None:
    for position in range(frame.shape[1]):
        series = frame.iloc[:, position].rename("name")
        id, data = dumped(series)

        assert id == "pandas-series-arrow/2"
        check(series, loaded(id, data), exact="equiv")
