"""Bytes as themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar, Final

from penstock.artifacts.formats import views
from penstock.artifacts.formats.data import private, reading
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer
from penstock.errors import CorruptArtifact, UnsupportedValue

_dump: Final = json.JSONEncoder().encode

ALIGNED: Final = 64
"""The memory of a view begins at a multiple of this, wide enough for items of any size."""


class Bytes(Materializer[bytes]):
    """A `bytes` object. Loading copies once, because it owns its memory."""

    format: ClassVar[str] = "bytes/1"

    def dump(self, value: bytes) -> Sequence[Buffer]:
        return [value]

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


class ByteArray(Materializer[bytearray]):
    """A `bytearray`. Loading copies what is mapped, because it owns its memory and can grow."""

    format: ClassVar[str] = "bytearray/1"

    def dump(self, value: bytearray) -> Sequence[Buffer]:
        return [value]

    def load(self, data: Buffer) -> bytearray:
        return data if type(data) is bytearray else bytearray(data)


class MemoryView(Materializer[memoryview]):
    """A `memoryview` of plain bytes, then one byte: `r` if it is read-only, else `w`."""

    format: ClassVar[str] = "memoryview/1"

    def dump(self, value: memoryview) -> Sequence[Buffer]:
        if value.format != "B" or value.ndim != 1 or not value.c_contiguous:
            raise NotThisFormat("only a contiguous view of bytes is stored as one")
        return [value, b"r" if value.readonly else b"w"]

    def load(self, data: Buffer) -> memoryview:
        view = private(data)
        flag = bytes(view[-1:])
        if flag not in (b"r", b"w"):
            raise CorruptArtifact(f"The bytes are not a value of format {self.format!r}.")
        return view[:-1].toreadonly() if flag == b"r" else view[:-1]


class ShapedView(Materializer[memoryview]):
    """Any other `memoryview`: a line of JSON that says what its items are, then its memory."""

    format: ClassVar[str] = "memoryview-shaped/1"

    def dump(self, value: memoryview) -> Sequence[Buffer]:
        try:
            kind, memory = views.flat(value)
        except TypeError as error:
            raise UnsupportedValue(
                f"No format takes this memoryview: {error}.",
                hint="Return numpy.asarray(view), or view.tobytes().",
            ) from None
        head = _dump([value.readonly, *kind]).encode("ascii")
        return [head.ljust(-(-len(head) // ALIGNED) * ALIGNED - 1) + b"\n", memory]

    def load(self, data: Buffer) -> memoryview:
        view = private(data)
        with reading(self.format):
            start = bytes(view[:4096]).index(b"\n") + 1
            readonly, *kind = json.loads(bytes(view[:start]))
            found = views.shaped(view[start:], *kind)
            return found.toreadonly() if readonly else found
