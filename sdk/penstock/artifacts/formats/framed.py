"""A stream and its buffers in one object, so that the buffers can be used where they lie.

A header (magic, tag, number of buffers, length of the stream), for each buffer its length and
whether it is read-only, the stream, then the buffers, each at a multiple of 64 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from penstock.artifacts.formats.data import private
from penstock.artifacts.store import Buffer

MAGIC: Final = b"penstock"
ALIGNED: Final = 64

_HEAD: Final = struct.Struct("<8sIIQ")
_ENTRY: Final = struct.Struct("<Q?7x")


def framed(tag: int, stream: Sequence[Buffer], buffers: Sequence[memoryview]) -> list[Buffer]:
    """The object, as views. `tag` is any number below 2**32."""
    length = sum(memoryview(piece).nbytes for piece in stream)
    head = bytearray(_HEAD.pack(MAGIC, tag, len(buffers), length))
    for buffer in buffers:
        head += _ENTRY.pack(buffer.nbytes, buffer.readonly)
    pieces: list[Buffer] = [bytes(head), *stream]
    end = len(head) + length
    for buffer in buffers:
        pieces += [bytes(-end % ALIGNED), buffer]
        end += -end % ALIGNED + buffer.nbytes
    return pieces


def unframed(data: Buffer) -> tuple[int, bytes, list[memoryview]]:
    """Tag, stream and buffers. The stream is a copy in memory, the buffers are views.

    Raises `ValueError`, `struct.error`.
    """
    view = memoryview(data)
    magic, tag, count, length = _HEAD.unpack_from(view)
    start = _HEAD.size + count * _ENTRY.size
    if magic != MAGIC or start + length > len(view):
        raise ValueError("the header is not one")
    entries = list(_ENTRY.iter_unpack(view[_HEAD.size : start]))
    stream = bytes(view[start : start + length])
    end = start + length
    own = private(view) if count else view
    buffers = []
    for size, readonly in entries:
        begin = end + -end % ALIGNED
        end = begin + size
        buffer = own[begin:end]
        buffers.append(buffer.toreadonly() if readonly else buffer)
    if end != len(view):
        raise ValueError("the length is wrong")
    return tag, stream, buffers
