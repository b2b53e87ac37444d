"""Compression of objects with Zstandard (RFC 8878), where a store asks for it.

An object keeps its name, the digest of its own bytes, and gets an ending: so whether it is
compressed is nobody's business but the reader's, and equal values are equal in every store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from blake3 import blake3

from penstock.digest import Buffer
from penstock.errors import MissingExtra, listed

KNOWN: Final = ("none", "zstd")

ENDING: Final = ".zst"

LEVEL: Final = 3
"""Zstandard's own default: beyond it twice the time saves some percent."""

PIECE: Final = 4 << 20
"""Bytes that are copied, hashed and compressed at once."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The compressed bytes of an object, and the digest of the bytes that they are of."""

    digest: str
    buffers: Sequence[bytes]


def packed(buffers: Sequence[Buffer], size: int) -> Packed:
    """Compress and hash: the same private copy of each piece, whoever changes the value meanwhile.

    The result lies in memory. Raises `MissingExtra`.
    """
    library = _library()
    # The size is written down, so that a reader knows at once how much room it needs.
    active = library.ZstdCompressor(level=LEVEL, threads=-1 if size > PIECE else 0)
    running = active.compressobj(size=size)
    state = blake3()
    made = []
    for piece in _pieces(buffers):
        state.update(piece)
        made.append(running.compress(piece))
    made.append(running.flush())
    return Packed(state.hexdigest(), [item for item in made if item])


def unpacked(data: Buffer, size: int) -> bytearray | None:
    """The `size` bytes that were compressed; None if these are no such bytes.

    No more memory is used than that, whatever the data says. Raises `MissingExtra`.
    """
    library = _library()
    try:
        found = bytearray(size)
    except (ValueError, OverflowError, MemoryError):  # no size of anything
        return None
    view, end = memoryview(found), 0
    try:
        with library.ZstdDecompressor().stream_reader(data) as reader:
            while end < size and (read := reader.readinto(view[end:])):
                end += read
            more = reader.read(1)
    except library.ZstdError:
        return None
    return found if end == size and not more else None


def _pieces(buffers: Sequence[Buffer]) -> Iterator[bytes]:
    for buffer in buffers:
        view = memoryview(buffer)
        for start in range(0, view.nbytes, PIECE):
            yield bytes(view[start : start + PIECE])


def problems(compression: str) -> Iterator[str]:
    """Why a store cannot compress like this, in a sentence."""
    if compression not in KNOWN:
        yield f"there is no compression {compression!r}, only {listed(KNOWN)}"
    elif compression != "none":
        try:
            _library()
        except MissingExtra as error:
            yield f"{error.message.rstrip('.')} ({error.hint})"


def _library() -> Any:
    try:
        import zstandard  # optional: only for stores that ask for it
    except ImportError as error:
        raise MissingExtra(
            "Compressed objects need 'zstandard', which is not installed.",
            hint="pip install zstandard",
        ) from error
    return zstandard
