"""A stream and its buffers, so that the buffers can be used where they lie.

The root is one object: a header (magic, tag, number of buffers, length of the stream), for each
buffer its length, whether it is read-only and whether it is an object of its own; the digests of
those that are; the stream; then the other buffers, each at a multiple of 64 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final

from penstock.artifacts.formats.data import private
from penstock.artifacts.store import LARGE, Buffer
from penstock.model.records import Part

MAGIC: Final = b"penstock"
ALIGNED: Final = 64

READ_ONLY: Final = 1
APART: Final = 2
"""An object of its own: it can be mapped, and is stored once however many values hold it."""

_HEAD: Final = struct.Struct("<8sIIQ")
_ENTRY: Final = struct.Struct("<QB7x")
_DIGEST: Final = 32


def framed(
    tag: int,
    stream: Sequence[Buffer],
    buffers: Sequence[memoryview],
    put: Callable[[Sequence[Buffer]], Part],
) -> list[Buffer]:
    """The root, as views; the large buffers are stored with `put`. `tag` is below 2**32."""
    length = sum(memoryview(piece).nbytes for piece in stream)
    entries, digests = bytearray(), bytearray()
    inside: list[memoryview] = []
    for buffer in buffers:
        apart = buffer.nbytes >= LARGE
        entries += _ENTRY.pack(buffer.nbytes, READ_ONLY * buffer.readonly | APART * apart)
        if apart:
            digests += bytes.fromhex(put([buffer]).digest)
        else:
            inside.append(buffer)
    head = _HEAD.pack(MAGIC, tag, len(buffers), length) + bytes(entries + digests)
    pieces: list[Buffer] = [head, *stream]
    end = len(head) + length
    for buffer in inside:
        pieces += [bytes(-end % ALIGNED), buffer]
        end += -end % ALIGNED + buffer.nbytes
    return pieces


def unframed(data: Buffer, get: Callable[[Part], Buffer]) -> tuple[int, bytes, list[memoryview]]:
    """Tag, stream and buffers. The stream is a copy, the buffers are views.

    Raises `ValueError`, `struct.error`.
    """
    view = memoryview(data)
    tag, length, entries, end = _head(view)
    stream = bytes(view[end : end + length])
    end += length
    own = private(view) if entries else view
    buffers = []
    for size, flags, part in entries:
        if part is not None:
            buffer = private(get(part))
        else:
            begin = end + -end % ALIGNED
            end = begin + size
            buffer = own[begin:end]
        buffers.append(buffer.toreadonly() if flags & READ_ONLY else buffer)
    if end != len(view):
        raise ValueError("the length is wrong")
    return tag, stream, buffers


def _head(view: memoryview) -> tuple[int, int, list[tuple[int, int, Part | None]], int]:
    """Tag, length of the stream, the entries, and where the stream begins."""
    magic, tag, count, length = _HEAD.unpack_from(view)
    start = _HEAD.size + count * _ENTRY.size
    if magic != MAGIC or start + length > len(view):
        raise ValueError("the header is not one")
    entries: list[tuple[int, int, Part | None]] = []
    for size, flags in _ENTRY.iter_unpack(view[_HEAD.size : start]):
        part = None
        if flags & APART:
            part = Part(view[start : start + _DIGEST].hex(), size)
            start += _DIGEST
        entries.append((size, flags, part))
    if start + length > len(view):
        raise ValueError("the header is not one")
    return tag, length, entries, start
