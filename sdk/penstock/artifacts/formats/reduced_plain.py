"""Python's own arrays and views in pickles, with their memory beside the stream."""

from __future__ import annotations

import pickle
import sys
from array import array as Array  # noqa: N812 # it is a class
from typing import Any

from penstock.artifacts.formats import views
from penstock.errors import UnsupportedValue


def array(value: Array[Any]) -> Any:
    """An `array.array`, whose own way is a copy as `bytes`."""
    if type(value) is not Array or not value:
        return NotImplemented
    memory = memoryview(value).cast("B")
    return arrayed, (value.typecode, value.itemsize, sys.byteorder, pickle.PickleBuffer(memory))


def arrayed(typecode: str, size: int, order: str, memory: memoryview) -> Array[Any]:
    """An array with a copy of the memory, because it can grow."""
    made: Array[Any] = Array(typecode)
    if made.itemsize != size:
        raise UnsupportedValue(
            f"The value is an array of items {typecode!r} of {size} bytes, which have "
            f"{made.itemsize} on this machine.",
            hint="Return an array of numpy's instead, which says how wide its items are.",
        )
    made.frombytes(memory)
    if order != sys.byteorder:
        made.byteswap()
    return made


def view(value: memoryview) -> Any:
    """A `memoryview`, which has no way of its own."""
    kind, memory = views.flat(value)
    return views.shaped, (pickle.PickleBuffer(memory), *kind)


def text_file(value: Any) -> Any:
    """An open file refuses by its own way; cloudpickle's would read it, and give back a StringIO.

    Standard output is no file but a name, and left to who knows it.
    """
    if value is sys.stdout or value is sys.stderr:
        return NotImplemented
    return value.__reduce_ex__(5)
