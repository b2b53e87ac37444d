"""What has to be done to plain data so that it becomes other plain data, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings, indices of lists."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing to be done to the value at `path`."""

    kind: Literal["add", "set", "drop"]
    path: Path
    value: Any = None


def same(one: Any, other: Any) -> bool:
    """Whether two values would be read alike: 1, 1.0 and true are three things."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)  # a NaN is a NaN


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Edit]:
    """The smallest edits, in an order in which they can be done one after the other."""
    if same(old, new):
        return
    if old and isinstance(old, dict) and isinstance(new, dict):
        for key, value in new.items():
            if key in old:
                yield from differences(old[key], value, (*path, key))
            else:
                yield Edit("add", (*path, key), value)
        yield from (Edit("drop", (*path, key)) for key in old if key not in new)
    elif old and isinstance(old, list) and isinstance(new, list):
        yield from _in_list(old, new, path)
    else:
        yield Edit("set", path, new)


def _in_list(old: list[Any], new: list[Any], path: Path) -> Iterator[Edit]:
    if len(old) == len(new) and not _is_shifted(old, new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, (*path, index))
        return
    kept, gone = 0, []
    for index, item in enumerate(old):
        if kept < len(new) and same(item, new[kept]):
            kept += 1
        else:
            gone.append(index)
    if not kept and new:
        yield Edit("set", path, new)
    else:
        yield from (Edit("drop", (*path, index)) for index in reversed(gone))
        yield from (Edit("add", (*path, at), new[at]) for at in range(kept, len(new)))


def _is_shifted(old: list[Any], new: list[Any]) -> bool:
    """Whether an item is still there, at another place."""
    return any(
        at != index and same(item, other)
        for index, item in enumerate(old)
        for at, other in enumerate(new)
    )
