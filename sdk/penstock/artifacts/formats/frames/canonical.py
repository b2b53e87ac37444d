"""Arrow arrays whose bytes are determined by their values, so that equal frames are equal bytes.

What lies under a null, or beside a slice, means nothing to Arrow, but it would be written with the
rest, and depends on how the array was computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.artifacts.formats.frames import bits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def canonical(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The same values in one piece, with zeros under its nulls and nothing around them.

    Copied is only what must change; nested arrays are left as they are.
    """
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    array = _joined(array) if isinstance(array, pa.ChunkedArray) else array
    kind = pa.types
    if kind.is_boolean(array.type):
        return _of_bits(array)
    if array.type in (pa.string(), pa.binary(), pa.large_string(), pa.large_binary()):
        return _of_text(array)
    if kind.is_primitive(array.type) or kind.is_decimal(array.type):
        return _of_width(array)
    return array


def _joined(array: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    if array.num_chunks == 1:
        return array.chunk(0)
    return pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)


def _of_bits(array: pa.Array) -> pa.Array:
    missing = bits.missing(array)
    values = bits.unpacked(array.buffers()[1], array.offset, len(array))
    if missing is not None:
        values[missing] = False
    return _array(array.type, len(array), missing, bits.packed(values))


def _of_width(array: pa.Array) -> pa.Array:
    import numpy as np  # optional: pandas brings it
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    width = array.type.bit_width // 8
    kind = f"u{width}" if width <= 8 else f"V{width}"
    values = np.frombuffer(_part(array, 1, width, len(array)), kind)
    missing = bits.missing(array)
    if missing is not None:
        values = values.copy()
        values[missing] = np.zeros((), kind)
    return _array(array.type, len(array), missing, pa.py_buffer(values.view(np.uint8)))


def _of_text(array: pa.Array) -> pa.Array:
    """Ends and characters. Under a null there are no characters, as most of Arrow has it."""
    import numpy as np  # optional: pandas brings it
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    if not len(array):
        return pa.array([], array.type)
    width = 4 if array.type in (pa.string(), pa.binary()) else 8
    missing = bits.missing(array)
    ends = np.frombuffer(_part(array, 1, width, len(array) + 1), f"i{width}")
    if missing is not None and (ends[1:] != ends[:-1])[missing].any():
        return _of_text(_without_hidden(array))
    data = array.buffers()[2]
    if data is not None:
        data = data.slice(int(ends[0]), int(ends[-1] - ends[0]))
    ends = ends - ends[0] if ends[0] else ends
    return _array(array.type, len(array), missing, pa.py_buffer(ends), data)


def _without_hidden(array: pa.Array) -> pa.Array:
    """Taken one by one, as there are characters under nulls."""
    import numpy as np  # optional: pandas brings it
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    return array.take(pa.array(np.arange(len(array))))


def _part(array: pa.Array, number: int, width: int, length: int) -> pa.Buffer:
    """What of a buffer is the array's own. It may have none if it has no values."""
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    buffer = array.buffers()[number]
    return (
        pa.py_buffer(b"") if buffer is None else buffer.slice(array.offset * width, length * width)
    )


def _array(kind: Any, length: int, missing: np.ndarray[Any, Any] | None, *buffers: Any) -> pa.Array:
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    bitmap = None if missing is None else bits.packed(~missing)
    return pa.Array.from_buffers(kind, length, [bitmap, *buffers], 0 if missing is None else -1)
