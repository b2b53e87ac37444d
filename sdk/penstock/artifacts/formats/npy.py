"""numpy arrays as `.npy` files: a header, then the array's own memory.

The header is written here and not by numpy, whose padding differs between versions: equal arrays
have equal bytes everywhere. `numpy.load` reads them.
"""

from __future__ import annotations

import ast
import math
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from penstock.artifacts.formats.data import private, reading
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer

if TYPE_CHECKING:
    import numpy as np

MAGIC: Final = b"\x93NUMPY"
ALIGNED: Final = 64
"""The data begins at a multiple of this, so that a mapped file can be computed on as it is."""


class Npy(Materializer["np.ndarray[Any, Any]"]):
    """An array without objects in it. A `memmap` comes back as a plain array: its file stays.

    What is loaded is a view of the data, and always writable.
    """

    format: ClassVar[str] = "npy/1"
    suffix: ClassVar[str] = ".npy"

    def dump(self, value: np.ndarray[Any, Any]) -> Sequence[Buffer]:
        import numpy as np  # optional: here because the value is an array

        if type(value) not in (np.ndarray, np.memmap):
            raise NotThisFormat(f"{type(value).__qualname__} would come back as an array")
        return dumped(value)

    def load(self, data: Buffer) -> np.ndarray[Any, Any]:
        return loaded(data, self.format)


class NpyScalar(Materializer["np.generic[Any]"]):
    """A numpy scalar: the bytes of an array of no dimensions."""

    format: ClassVar[str] = "npy-scalar/1"
    suffix: ClassVar[str] = ".npy"

    def dump(self, value: np.generic[Any]) -> Sequence[Buffer]:
        import numpy as np  # optional: here because the value is numpy's

        array = np.asarray(value)
        if type(value) is not array.dtype.type:
            raise NotThisFormat(f"{type(value).__qualname__} would come back as a scalar")
        if array.dtype.kind in "SU" and array[()] != value:
            raise NotThisFormat("numpy drops NULs at the end")
        return dumped(array)

    def load(self, data: Buffer) -> np.generic[Any]:
        array = loaded(data, self.format)
        with reading(self.format):
            if array.shape:
                raise ValueError("it has dimensions")
            return cast("np.generic[Any]", array[()])


def dumped(array: np.ndarray[Any, Any]) -> Sequence[Buffer]:
    """Header and memory. Only an array whose memory has gaps is copied."""
    import numpy as np  # optional: here because the value is an array

    array = np.asarray(array)
    descr = _description(array.dtype)
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        # As raw memory: a copy by fields would leave what is between them to chance.
        raw = np.ascontiguousarray(array.view(f"V{array.itemsize}") if array.itemsize else array)
        array = raw.view(array.dtype)
    head = _header(descr, not array.flags.c_contiguous, array.shape)
    if not array.nbytes:
        return [head]
    # As bytes, because the buffer protocol knows neither dates nor text.
    return [head, array.ravel(order="K").view(np.uint8).data]


def loaded(data: Buffer, format: str) -> np.ndarray[Any, Any]:
    """The array as a view of the data, checked to be all of it."""
    import numpy as np  # optional: the value is an array

    view = private(data)
    with reading(format):
        dtype, order, shape, start = _parsed(view)
        if start + math.prod(shape) * dtype.itemsize != len(view):
            raise ValueError("the length is wrong")
        return np.ndarray(shape, dtype, buffer=view, offset=start, order=order)


def _description(dtype: np.dtype[Any]) -> Any:
    """The dtype as the header has it. Raises `NotThisFormat` for one that would change."""
    from numpy.lib import format as npy  # optional: here because the value is numpy's

    if not _plain(dtype):
        raise NotThisFormat(f"{dtype!r} would come back as another dtype")
    try:
        descr = npy.dtype_to_descr(dtype)
        same = npy.descr_to_dtype(descr) == dtype
    except (TypeError, ValueError) as error:
        raise NotThisFormat(f"{dtype!r} has no description: {error}") from None
    if not same:
        raise NotThisFormat(f"{dtype!r} would come back as another dtype")
    return descr


def _plain(dtype: np.dtype[Any]) -> bool:
    """Whether the description says all of it; `==` between dtypes does not look at these."""
    if dtype.hasobject or dtype.metadata or dtype.isbuiltin == 2:
        return False
    if dtype.subdtype is not None:
        return _plain(dtype.subdtype[0])
    if dtype.fields is not None:
        same = dtype.type.__name__ == "void" and not dtype.isalignedstruct
        return same and all(_plain(field[0]) for field in dtype.fields.values())
    return dtype.kind in "biufcmMSUV"


def _header(descr: Any, fortran: bool, shape: tuple[int, ...]) -> bytes:
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape!r}, }}"
    raw = text.encode("ascii" if text.isascii() else "utf-8")
    version = 3 if not text.isascii() else 1 if len(raw) < 2**16 - ALIGNED else 2
    length = struct.Struct("<H" if version == 1 else "<I")
    start = len(MAGIC) + 2 + length.size
    size = -(-(start + len(raw) + 1) // ALIGNED) * ALIGNED - start
    return MAGIC + bytes([version, 0]) + length.pack(size) + raw.ljust(size - 1) + b"\n"


def _parsed(view: memoryview) -> tuple[np.dtype[Any], Any, tuple[int, ...], int]:
    """dtype, order, shape, and where the memory begins."""
    from numpy.lib import format as npy  # optional: the value is numpy's

    if bytes(view[:6]) != MAGIC or bytes(view[6:8]) not in (b"\1\0", b"\2\0", b"\3\0"):
        raise ValueError("it does not begin as a .npy file")
    length = struct.Struct("<H" if view[6] == 1 else "<I")
    start = 8 + length.size
    (size,) = length.unpack(view[8:start])
    raw = bytes(view[start : start + size])
    header = ast.literal_eval(raw.decode("utf-8" if view[6] == 3 else "latin-1").strip())
    if type(header) is not dict or header.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError("the header is not one")
    shape, fortran = header["shape"], header["fortran_order"]
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("the shape is not one")
    dtype = npy.descr_to_dtype(header["descr"])
    if type(fortran) is not bool or not _plain(dtype):
        raise ValueError("the dtype or the order is not one")
    return dtype, "F" if fortran else "C", shape, start + size
