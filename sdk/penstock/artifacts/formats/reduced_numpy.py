"""numpy arrays in pickles, with their memory beside the stream.

numpy itself does so only for plain arrays in C order or Fortran's, whose items Python's buffers can
describe; for dates, gaps, other orders, masks and subclasses it makes a copy in the stream.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from penstock.artifacts.formats.memory import compact, dense, raw
from penstock.artifacts.formats.pickle import SMALL

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def array(value: Array) -> Any:
    """An array of any class that leaves its pickling to numpy."""
    import numpy as np  # optional: here because the value is an array

    kind = type(value)
    if value.dtype.hasobject:
        return NotImplemented
    if kind is np.ndarray and _is_described(value):
        return _simple(value)
    if value.nbytes < SMALL and not _turned_by_numpy(value):
        return NotImplemented
    if kind is np.ma.MaskedArray:
        return _masked(value)
    return _placed(value) if _leaves_it_to_numpy(kind) else NotImplemented


def _simple(value: Array) -> Any:
    """Without gaps numpy does it. With some, an array has the bytes of its copy without."""
    if value.flags.forc:
        return NotImplemented
    if value.nbytes >= SMALL and dense(value):
        return _placed(value)
    copied = compact(value)
    copied.flags.writeable = value.flags.writeable
    return copied.__reduce_ex__(5)


def _placed(value: Array) -> Any:
    import numpy as np  # optional: here because the value is an array

    plain = value.view(np.ndarray)
    if plain.flags.c_contiguous:
        memory, strides, first = raw(plain), None, 0
    elif found := dense(plain):
        (memory, first), strides = found, plain.strides
    else:
        memory, strides, first = raw(compact(plain)), None, 0
    what = (type(value), value.dtype, value.shape, strides, first)
    return arrayed, (*what, pickle.PickleBuffer(memory))


def arrayed(
    kind: type[Array],
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    strides: tuple[int, ...] | None,
    first: int,
    memory: memoryview,
) -> Array:
    """An array of this class in this memory. It is as writable as the memory."""
    import numpy as np  # optional: the value is an array

    # As numpy does: a subclass is told of it by `__array_finalize__(None)`.
    return np.ndarray.__new__(kind, shape, dtype, memory, first, strides)


def masked(data: Array, mask: Array | None, fill_value: Any, hard: bool) -> Any:
    """A masked array of this data. Without a mask it has none, which numpy's own way forgets."""
    import numpy as np  # optional: the value is an array

    return np.ma.MaskedArray(
        data, np.ma.nomask if mask is None else mask,
        copy=False, keep_mask=False, fill_value=fill_value, hard_mask=hard,
    )  # fmt: skip


def _masked(value: Any) -> Any:
    import numpy as np  # optional: here because the value is an array

    mask = np.ma.getmask(value)
    # The attribute, and not the property, which would make a default the user's own choice.
    given = value._fill_value
    return masked, (value.data, None if mask is np.ma.nomask else mask, given, value.hardmask)


def _leaves_it_to_numpy(kind: type[Array]) -> bool:
    import numpy as np  # optional: here because the value is an array

    names = ("__reduce__", "__reduce_ex__", "__setstate__")
    return all(getattr(kind, name) is getattr(np.ndarray, name) for name in names)


def _turned_by_numpy(value: Array) -> bool:
    """Whether numpy's own pickles bring the items back in the byte order of the machine."""
    return value.dtype.names is None and not value.dtype.isnative


def _is_described(value: Array) -> bool:
    """Whether Python's buffers can say what the items are; then numpy hands its memory over."""
    try:
        memoryview(value)  # type: ignore[arg-type] # a buffer, though not in Python 3.11's types
    except (ValueError, BufferError):  # dates, and the types of other libraries
        return False
    return True
