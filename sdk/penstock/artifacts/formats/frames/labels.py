"""The labels of columns as plain data."""

from __future__ import annotations

from typing import Any

from penstock.artifacts.formats.frames import texts
from penstock.artifacts.materializer import NotThisFormat


def noted(labels: Any) -> list[Any]:
    """What `known` makes the same labels of. Raises `NotThisFormat`.

    That a label itself is plain shows when the note is encoded.
    """
    import numpy as np  # optional: pandas brings it
    import pandas as pd  # optional: here because the value is pandas'

    kind = type(labels)
    if kind is pd.RangeIndex:
        return ["range", labels.start, labels.stop, labels.step, labels.name]
    if kind is pd.MultiIndex:
        levels = [noted(level) for level in labels.levels]
        codes = [numbers.tolist() for numbers in labels.codes]
        return ["levels", levels, codes, list(labels.names), labels.sortorder]
    dtype = labels.dtype
    if kind is pd.Index and isinstance(dtype, np.dtype) and dtype.kind in "biufO":
        return ["numpy", dtype.name, labels.tolist(), labels.name]
    if kind is pd.Index and type(dtype) is pd.StringDtype:
        return ["string", texts.noted(dtype), labels.tolist(), labels.name]
    raise NotThisFormat(f"the labels of its columns are {dtype}")


def known(note: list[Any]) -> Any:
    """The labels again."""
    import pandas as pd  # optional: the registry has made sure of it

    word, *rest = note
    if word == "range":
        start, stop, step, name = rest
        return pd.RangeIndex(start, stop, step, name=name)
    if word == "levels":
        levels, codes, names, sortorder = rest
        inner = [known(level) for level in levels]
        return pd.MultiIndex(levels=inner, codes=codes, names=names, sortorder=sortorder)
    if word not in ("numpy", "string"):
        raise ValueError(f"{word!r} is no kind of labels")
    kind, labels, name = rest
    dtype = texts.known(*kind) if word == "string" else kind
    return pd.Index(labels, dtype=dtype, name=name, tupleize_cols=False)
