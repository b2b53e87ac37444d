"""The index of a frame as columns behind the frame's own, and notes of what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.artifacts.formats.frames.columns import Column, codes, level

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from penstock.artifacts.formats.frames.views import Views


def columns(index: Any) -> list[Column]:
    """A range needs none; levels are dictionaries. Raises `NotThisFormat`."""
    import pandas as pd  # optional: here because the value is pandas'

    if type(index) is pd.RangeIndex:
        return []
    if type(index) is pd.MultiIndex:
        return [codes(*pair) for pair in zip(index.codes, index.levels, strict=True)]
    return [level(index)]


def noted(index: Any) -> list[Any]:
    """What `known` needs to know besides the columns."""
    import pandas as pd  # optional: here because the value is pandas'

    kind = type(index)
    if kind is pd.RangeIndex:
        return ["range", index.start, index.stop, index.step, index.name]
    if kind is pd.MultiIndex:
        return ["levels", list(index.names), index.sortorder]
    return ["column"]


def levels(note: list[Any]) -> int:
    """How many columns of the file are the index's."""
    word, *rest = note
    return len(rest[0]) if word == "levels" else 1 if word == "column" else 0


def known(note: list[Any], arrays: Sequence[tuple[pa.Array, Any]], views: Views) -> Any:
    """The index again, of its columns and their kinds."""
    import pandas as pd  # optional: the registry has made sure of it

    word, *rest = note
    if word == "range":
        start, stop, step, name = rest
        return pd.RangeIndex(start, stop, step, name=name)
    if word == "column":
        ((array, kind),) = arrays
        return views.index(array, kind)
    if word != "levels" or any(kind[0] != "category" for _, kind in arrays):
        raise ValueError(f"{word!r} is no kind of index")
    names, sortorder = rest
    levels: Any = [views.index(array.dictionary, kind[1]) for array, kind in arrays]
    codes: Any = [views.codes(array) for array, _ in arrays]
    return pd.MultiIndex(
        levels=levels,
        codes=codes,
        names=names,
        sortorder=sortorder,
        verify_integrity=not views.trusted,
    )
