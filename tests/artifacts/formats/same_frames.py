"""When two frames are the same: in everything that pandas can be asked for."""

from __future__ import annotations

from typing import Any

import pandas as pd

OBJECT = object


def check(frame: Any, found: Any, exact: Any = True) -> None:
    """Fail unless the frames, or the series, are equal. With `exact="equiv"` a level of integers
    may be a range: what it is, pandas decides differently from call to call."""
    assert type(found) is type(frame)
    if isinstance(frame, pd.Series):
        pd.testing.assert_series_equal(found, frame, check_exact=True, check_index_type=exact)
        assert type(found.name) is type(frame.name)
        assert found.attrs == frame.attrs
        frame, found = frame.to_frame("v"), found.to_frame("v")
    pd.testing.assert_frame_equal(
        found, frame, check_exact=True, check_column_type=True, check_index_type=exact
    )
    assert type(found.columns) is type(frame.columns)
    assert found.attrs == frame.attrs
    assert found.flags.allows_duplicate_labels == frame.flags.allows_duplicate_labels
    check_index(frame.index, found.index)
    check_names(found.columns, frame.columns)
    for position, dtype in enumerate(frame.dtypes):
        check_dtype(dtype, found.dtypes.iloc[position])
        if dtype == OBJECT:
            pairs = zip(found.iloc[:, position], frame.iloc[:, position], strict=True)
            assert all(type(one) is type(other) for one, other in pairs)


def check_dtype(one: Any, other: Any) -> None:
    assert repr(one) == repr(other)
    assert type(getattr(one, "tz", None)) is type(getattr(other, "tz", None))
    if isinstance(one, pd.CategoricalDtype):
        pd.testing.assert_index_equal(one.categories, other.categories, exact=True)
        check_index(one.categories, other.categories)


def check_index(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    assert getattr(one, "freq", None) == getattr(other, "freq", None)
    check_names(one, other)
    if not isinstance(one, pd.MultiIndex):
        check_dtype(one.dtype, other.dtype)


def check_names(one: Any, other: Any) -> None:
    assert [(type(name), name) for name in one.names] == [(type(n), n) for n in other.names]
