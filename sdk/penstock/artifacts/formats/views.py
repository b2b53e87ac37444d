"""Views of memory: what a `memoryview` of any items is made of."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Sequence
from typing import Final

from penstock.errors import UnsupportedValue

ITEMS: Final = "bBhHiIlLqQnNfd?c"
"""What `memoryview.cast` makes. Addresses (`P`) mean nothing to another process."""

Kind = tuple[str, int, str, tuple[int, ...]]
"""Format and size of an item, the order of its bytes, and the shape."""


def flat(view: memoryview) -> tuple[Kind, memoryview]:
    """What the items are, and their bytes in C order: copied only if there are gaps.

    Raises `TypeError` for items that could not be seen in the bytes again.
    """
    format = view.format.removeprefix("@")
    if len(format) != 1 or format not in ITEMS:
        raise TypeError(f"its items are of the format {view.format!r}")
    if view.ndim != 1 and not view.nbytes:
        raise TypeError(f"its shape {view.shape} has no items")
    assert view.shape is not None
    kind = (format, view.itemsize, sys.byteorder, tuple(view.shape))
    whole = view if view.c_contiguous else memoryview(bytearray(view))
    if not view.nbytes:
        return kind, memoryview(b"")
    memory = whole.cast("B")
    return kind, memory.toreadonly() if view.readonly else memory


def shaped(
    memory: memoryview, format: str, size: int, order: str, shape: Sequence[int]
) -> memoryview:
    """The view again. Pickles name this function: its name and its parameters never change."""
    if format not in ITEMS:
        raise ValueError(f"{format!r} is no format of items")
    memory = memoryview(memory)
    if struct.calcsize(format) != size or order != sys.byteorder:
        raise UnsupportedValue(
            f"The value is a memoryview of items {format!r} of {size} bytes, {order}-endian, which "
            "this machine does not have.",
            hint="Return an array of numpy's instead, which says what its items are.",
        )
    cast: Callable[..., memoryview] = memory.cast  # its types want the format as a literal
    found = cast(format) if len(shape) == 1 else cast(format, list(shape))
    if found.shape != tuple(shape):
        raise ValueError("the length is wrong")
    return found
