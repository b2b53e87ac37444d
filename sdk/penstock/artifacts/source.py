"""Sources: the bytes of an object on their way into a store, from memory or from a file."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Final, Protocol, TypeAlias

from penstock.artifacts import transfer
from penstock.digest import Buffer
from penstock.errors import UnsupportedValue

_MOST_BUFFERS: Final = 512
"""The system takes no more than 1,024 at once (IOV_MAX)."""


_CHUNK: Final = 4 << 20
"""Bytes that are read from a file at once."""

Writing: TypeAlias = Callable[[int], None]
"""Is told the bytes of a large object before it is written: other work may begin meanwhile."""


def unnoticed(size: int) -> None:
    """Nobody has other work."""


class Source(Protocol):
    """Bytes that can be read, or written to a file, piece by piece."""

    @property
    def size(self) -> int:
        """Bytes."""

    def buffers(self) -> Sequence[Buffer]:
        """All of it, as views."""

    def chunks(self) -> Iterable[Buffer]:
        """All of it, one after the other, to be looked at once."""

    def samples(self, places: Sequence[int], size: int) -> bytes:
        """`size` bytes, or less, from each of these places."""

    def written_to(self, fd: int, most: int) -> Iterator[int]:
        """Write it to the end of an open file, in pieces of `most` bytes, the last one of what is
        left. After each, how many bytes there are by now."""


class Buffers:
    """Bytes in memory."""

    def __init__(self, buffers: Sequence[Buffer]) -> None:
        views = (memoryview(item) for item in buffers)
        self._views = [view.cast("B") for view in views if view.nbytes]
        self.size = sum(view.nbytes for view in self._views)

    def buffers(self) -> Sequence[Buffer]:
        return self._views

    def chunks(self) -> Iterable[Buffer]:
        return self._views

    def samples(self, places: Sequence[int], size: int) -> bytes:
        found = []
        begin, views = 0, iter(self._views)
        view = next(views, memoryview(b""))
        for place in places:
            while place >= begin + view.nbytes and view.nbytes:
                begin += view.nbytes
                view = next(views, memoryview(b""))
            found.append(view[place - begin : place - begin + size])
        return b"".join(found)

    def written_to(self, fd: int, most: int) -> Iterator[int]:
        end = 0
        for piece in gathered(self._views, most):
            end += write_all(fd, piece)
            yield end


class OpenFile:
    """What a file holds that is open for reading.

    A file that is cut short meanwhile, by whoever else has it, ends the process where it is read
    as memory: who hands a file over must be done with writing it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    def buffers(self) -> Sequence[Buffer]:
        if not self.size:
            return []
        return [mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ)]

    def chunks(self) -> Iterable[Buffer]:
        """Read, and not mapped: of a file that is cut short meanwhile there is less, and no more
        happens."""
        for place in range(0, self.size, _CHUNK):
            yield os.pread(self._file.fileno(), min(_CHUNK, self.size - place), place)

    def samples(self, places: Sequence[int], size: int) -> bytes:
        return b"".join(os.pread(self._file.fileno(), size, place) for place in places)

    def written_to(self, fd: int, most: int) -> Iterator[int]:
        here = self._file.fileno()
        shared = bool(self.size) and transfer.cloned(here, fd)
        for start in range(0, self.size, most):
            length = min(most, self.size - start)
            if not shared and transfer.copy_range(here, fd, start, length) < length:
                raise UnsupportedValue(f"The file {self._file.name} was cut short meanwhile.")
            yield start + length


def write_all(fd: int, views: Sequence[memoryview]) -> int:
    """Every byte, in as few calls as the system allows. Returns how many there were."""
    left = list(views)
    first = total = 0
    while first < len(left):
        written = os.writev(fd, left[first : first + _MOST_BUFFERS])
        total += written
        while first < len(left) and written >= left[first].nbytes:
            written -= left[first].nbytes
            first += 1
        if written:
            left[first] = left[first][written:]
    return total


def read_all(fd: int, size: int) -> bytearray:
    """What a file of this size holds; less only if it was cut short meanwhile."""
    data = bytearray(size)
    read = os.readv(fd, [data])
    while read < size and (more := os.readv(fd, [memoryview(data)[read:]])):
        read += more
    return data if read == size else data[:read]


def gathered(views: Sequence[memoryview], most: int) -> Iterator[list[memoryview]]:
    """The views, cut and gathered into pieces of `most` bytes and a last one of what is left."""
    piece: list[memoryview] = []
    room = most
    for view in views:
        start = 0
        while view.nbytes - start >= room:
            yield [*piece, view[start : start + room]]
            start, piece, room = start + room, [], most
        if start < view.nbytes:
            piece.append(view[start:])
            room -= view.nbytes - start
    if piece:
        yield piece
