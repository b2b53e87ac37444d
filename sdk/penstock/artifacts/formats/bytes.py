"""Bytes as themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from penstock.artifacts.formats.data import private
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer
from penstock.errors import CorruptArtifact


class Bytes(Materializer[bytes]):
    """A `bytes` object. Loading copies, unless the store gave `bytes`."""

    format: ClassVar[str] = "bytes/1"

    def dump(self, value: bytes) -> Sequence[Buffer]:
        return [value]

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


class ByteArray(Materializer[bytearray]):
    """A `bytearray`."""

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
