"""numpy arrays as `.npy` files: a header, then the array's own memory.

The header is written here and not by numpy, whose padding differs between versions: equal arrays
have equal bytes everywhere. `numpy.load` reads them.

A `.npy` file is in C order or in Fortran's. A large array whose memory is in another one, because
its axes were permuted or turned round, is not copied for that: its header has strides as well.
"""

from __future__ import annotations

import ast
import math
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from penstock.artifacts.formats.data import private, reading
from penstock.artifacts.formats.memory import dense, in_order, raw
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import LARGE, Buffer

if TYPE_CHECKING:
    import numpy as np

MAGIC: Final = b"\x93NUMPY"
ALIGNED: Final = 64
"""The data begins at a multiple of this, so that a mapped file can be computed on as it is."""


class Npy(Materializer["np.ndarray[Any, Any]"]):
    """An array without objects in it. A `memmap` comes back as a plain array: its file stays.

    What is loaded is a view of the data, and always writable, because it is the reader's own; also
    if the array was not. Only a large array in an order of its own is left to the next format.
    """

    format: ClassVar[str] = "npy/1"
    suffix: ClassVar[str] = ".npy"

    def dump(self, value: np.ndarray[Any, Any]) -> Sequence[Buffer]:
        array = _plain_array(value)
        if array.nbytes >= LARGE and _has_own_order(array):
            raise NotThisFormat("it would be copied")
        return dumped(array)

    def load(self, data: Buffer) -> np.ndarray[Any, Any]:
        return loaded(data, self.format)


class NpyStrided(Materializer["np.ndarray[Any, Any]"]):
    """A large array without gaps whose axes are neither in C order nor in Fortran's.

    `numpy.load` refuses the file for its header: with the axes in the order of the memory it would
    be another array.
    """

    format: ClassVar[str] = "npy-strided/1"
    suffix: ClassVar[str] = ".npy"

    def dump(self, value: np.ndarray[Any, Any]) -> Sequence[Buffer]:
        array = _plain_array(value)
        descr = _description(array.dtype)
        if array.flags.forc or (found := dense(array)) is None:
            raise NotThisFormat("a .npy file has its order")
        memory, first = found
        strides = f"'strides': {array.strides!r}, 'first': {first}, "
        return [_header(descr, False, array.shape, strides), memory]

    def load(self, data: Buffer) -> np.ndarray[Any, Any]:
        return loaded(data, self.format, strided=True)


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
    """Header and memory. Only items with gaps between them are copied."""
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    head = _header(_description(array.dtype), fortran, array.shape)
    if not array.nbytes:
        return [head]
    return [head, raw(array.T)] if fortran else [head, *in_order(array)]


def loaded(data: Buffer, format: str, *, strided: bool = False) -> np.ndarray[Any, Any]:
    """The array as a view of the data, checked to be all of it."""
    import numpy as np  # optional: the value is an array

    view = private(data)
    with reading(format):
        header, start = _parsed(view, ("strides", "first") if strided else ())
        dtype, shape = header["descr"], header["shape"]
        if start + math.prod(shape) * dtype.itemsize != len(view):
            raise ValueError("the length is wrong")
        if not strided:
            order: Any = "F" if header["fortran_order"] else "C"
            return np.ndarray(shape, dtype, view, start, order=order)
        array: np.ndarray[Any, Any]
        array = np.ndarray(shape, dtype, view, start + header["first"], header["strides"])
        if (found := dense(array)) is None or found[1] != header["first"]:
            raise ValueError("the strides leave something out")
        return array


def _plain_array(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np  # optional: here because the value is an array

    if type(value) not in (np.ndarray, np.memmap):
        raise NotThisFormat(f"{type(value).__qualname__} would come back as an array")
    return np.asarray(value)


def _has_own_order(array: np.ndarray[Any, Any]) -> bool:
    """Whether it would have to be copied to be in one that a .npy file can have, and need not."""
    return not array.dtype.hasobject and not array.flags.forc and dense(array) is not None


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


def _header(descr: Any, fortran: bool, shape: tuple[int, ...], more: str = "") -> bytes:
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape!r}, {more}}}"
    raw = text.encode("ascii" if text.isascii() else "utf-8")
    version = 3 if not text.isascii() else 1 if len(raw) < 2**16 - ALIGNED else 2
    length = struct.Struct("<H" if version == 1 else "<I")
    start = len(MAGIC) + 2 + length.size
    size = -(-(start + len(raw) + 1) // ALIGNED) * ALIGNED - start
    return MAGIC + bytes([version, 0]) + length.pack(size) + raw.ljust(size - 1) + b"\n"


def _parsed(view: memoryview, more: Sequence[str]) -> tuple[dict[str, Any], int]:
    """The header, with a dtype for its description, and where the memory begins."""
    from numpy.lib import format as npy  # optional: the value is numpy's

    if bytes(view[:6]) != MAGIC or bytes(view[6:8]) not in (b"\1\0", b"\2\0", b"\3\0"):
        raise ValueError("it does not begin as a .npy file")
    length = struct.Struct("<H" if view[6] == 1 else "<I")
    start = 8 + length.size
    (size,) = length.unpack(view[8:start])
    raw = bytes(view[start : start + size])
    header = ast.literal_eval(raw.decode("utf-8" if view[6] == 3 else "latin-1").strip())
    if type(header) is not dict or header.keys() != {"descr", "fortran_order", "shape", *more}:
        raise ValueError("the header is not one")
    shape = header["shape"]
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("the shape is not one")
    header["descr"] = npy.descr_to_dtype(header["descr"])
    if type(header["fortran_order"]) is not bool or not _plain(header["descr"]):
        raise ValueError("the dtype or the order is not one")
    return header, start + size
