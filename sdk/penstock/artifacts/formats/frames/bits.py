"""Bitmaps as Arrow has them: the first value is the lowest bit of the first byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def packed(values: np.ndarray[Any, Any]) -> pa.Buffer:
    """Booleans as bits; those behind the last value are zero."""
    import numpy as np  # optional: pandas brings it
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    return pa.py_buffer(np.packbits(values, bitorder="little"))


def unpacked(buffer: pa.Buffer, start: int, length: int) -> np.ndarray[Any, Any]:
    """So many booleans from bit `start` on. Raises `ValueError` if there are fewer."""
    import numpy as np  # optional: pandas brings it

    first, last = start // 8, -(-(start + length) // 8)
    if last > buffer.size:
        raise ValueError("a bitmap is too short")
    data = np.frombuffer(buffer, np.uint8, last - first, first) if length else np.empty(0, np.uint8)
    skipped = start % 8
    values = np.unpackbits(data, count=skipped + length, bitorder="little")[skipped:]
    return values.view(np.bool_)


def missing(array: pa.Array) -> np.ndarray[Any, Any] | None:
    """Which values of an array are null; nothing if none is."""
    bitmap = array.buffers()[0] if array.null_count else None
    return None if bitmap is None else ~unpacked(bitmap, array.offset, len(array))
