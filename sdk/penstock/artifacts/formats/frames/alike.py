"""Whether two frames are the same in types and labels; `==` of pandas is too kind for that."""

from __future__ import annotations

from typing import Any


def alike(one: Any, other: Any) -> bool:
    """Indexes, and types of columns, of two frames or two series; not the values."""
    if one.shape != other.shape or not _same_index(one.index, other.index):
        return False
    if one.ndim == 1:
        same = (type(one.name), one.name) == (type(other.name), other.name)
        return same and _same_dtype(one.dtype, other.dtype)
    return _same_index(one.columns, other.columns) and all(
        map(_same_dtype, one.dtypes, other.dtypes)
    )


def _same_index(one: Any, other: Any) -> bool:
    import pandas as pd  # optional: here because the value is pandas'

    if type(one) is not type(other) or not one.equals(other):
        return False
    names = [(type(name), name) for name in one.names]
    if names != [(type(name), name) for name in other.names]:
        return False
    if isinstance(one, pd.MultiIndex):
        return all(map(_same_dtype, one.dtypes, other.dtypes))
    same_freq = getattr(one, "freq", None) == getattr(other, "freq", None)
    return same_freq and _same_dtype(one.dtype, other.dtype)


def _same_dtype(one: Any, other: Any) -> bool:
    import pandas as pd  # optional: here because the value is pandas'

    if type(one) is not type(other) or one != other or repr(one) != repr(other):
        return False
    if isinstance(one, pd.CategoricalDtype) and isinstance(other, pd.CategoricalDtype):
        return one.ordered == other.ordered and _same_index(one.categories, other.categories)
    return type(getattr(one, "tz", None)) is type(getattr(other, "tz", None))
