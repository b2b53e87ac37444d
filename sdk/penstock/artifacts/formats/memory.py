"""An array's own memory, as bytes: without a copy wherever it has no gaps.

Nor does the order of the axes matter, or which way they run: an array that is stored with its
strides is stored as it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

RUN: Final = 1 << 16
"""Bytes from which a piece of memory between two gaps is worth a buffer of its own."""


def dense(array: Array) -> tuple[memoryview, int] | None:
    """The memory of an array without gaps, and the place of its first item in it."""
    turned = array[tuple(slice(None, None, -1 if n < 0 else 1) for n in array.strides)]
    axes = sorted(range(array.ndim), key=lambda axis: -turned.strides[axis])
    memory = turned.transpose(axes)
    if not memory.flags.c_contiguous:
        return None
    sizes = zip(array.shape, array.strides, strict=True)
    return raw(memory), sum((1 - length) * n for length, n in sizes if n < 0)


def raw(array: Array) -> memoryview:
    """The memory of an array in C order, as bytes: the buffer protocol knows neither dates nor
    strings."""
    import numpy as np  # optional: here because the value is an array

    return array.reshape(-1).view(np.uint8).data


def in_order(array: Array) -> list[memoryview]:
    """The items of any array in C order. Those that lie far from each other are copied once."""
    return [raw(piece) for piece in _pieces(array)]


def compact(array: Array) -> Array:
    """A copy without gaps, in C order, of what fields have between them as well."""
    import numpy as np  # optional: here because the value is an array

    if not array.itemsize:
        return np.ascontiguousarray(array)
    # As raw memory: a copy by fields would leave what is between them to chance.
    return np.ascontiguousarray(array.view(f"V{array.itemsize}")).view(array.dtype)


def _pieces(array: Array) -> Iterator[Array]:
    if array.flags.c_contiguous:
        yield array
    elif _run(array) < RUN:
        yield compact(array)
    else:
        for inner in array:
            yield from _pieces(inner)


def _run(array: Array) -> int:
    """Bytes that lie one after the other before the first gap."""
    size = array.itemsize
    for length, stride in zip(reversed(array.shape), reversed(array.strides), strict=True):
        if stride != size and length > 1:
            break
        size *= length
    return size
