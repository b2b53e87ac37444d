"""Digests. Everything penstock names by content is named by the BLAKE3 of it, in hex."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from mmap import mmap
from typing import Final

from blake3 import blake3

_DIGEST: Final = re.compile("[0-9a-f]{64}")

Buffer = bytes | bytearray | memoryview | mmap
"""Bytes in memory, or a private mapping of a file."""


_BIG: Final = 1 << 20
"""Bytes from which a buffer is worth more than one thread."""

_threads = blake3.AUTO
"""How many hash a big buffer: one for each core."""


def of_buffers(buffers: Iterable[Buffer]) -> str:
    """The digest of the buffers' bytes, one after the other, without joining them.

    Of a list the big ones are hashed by several threads.
    """
    state = hasher(max(map(len, buffers), default=0) if type(buffers) is list else 0)
    for buffer in buffers:
        try:
            state.update(buffer)
        except BufferError:  # its items are wider than a byte
            state.update(memoryview(buffer).cast("B"))
    return state.hexdigest()


def hasher(size: int) -> blake3:
    """What is told buffers of up to this size one after the other, and says their digest then."""
    return blake3(max_threads=_threads) if size >= _BIG else blake3()


def is_digest(text: object) -> bool:
    """Whether this is the digest of something."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def digest(tag: str, *parts: str | bytes) -> str:
    """Hash parts under a tag, so that hashes of different things never meet.

    Lengths go in, so `("ab", "c")` and `("a", "bc")` differ.
    """
    pieces = [tag.encode()]
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        pieces.append(len(data).to_bytes(8, "big"))
        pieces.append(data)
    return blake3(b"".join(pieces)).hexdigest()


def _alone() -> None:
    """In a fork the other threads are not there, and whoever waits for them waits for ever."""
    global _threads  # noqa: PLW0603 # one process, one number
    _threads = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone)
