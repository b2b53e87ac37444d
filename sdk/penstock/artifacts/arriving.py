"""Arriving: an object that is kept in the read cache while it is on its way to or from a store.

A thread writes the file, and the way must not become longer for it: what the disk has not taken a
little after the other side is done is given up. So a disk that is slower than the network costs no
time, and keeps nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Final, Self

from penstock.artifacts.room import Room
from penstock.artifacts.source import write_all
from penstock.artifacts.streamed import BEFORE
from penstock.digest import Buffer

PIECE: Final = 4 << 20
"""Bytes that are written at once: after each the thread looks whether it still should."""

PATIENCE: Final = 2.0
"""Seconds that are waited for the disk in any case."""


class Arriving:
    """Used in a `with`. Of one that may not be kept nothing is written."""

    def __enter__(self) -> Self:
        return self

    def add(self, piece: Buffer) -> None:
        """What comes next; nobody changes it before the end."""

    def kept(self, digest: str) -> os.stat_result | None:
        """Give the file its name, once all of it came. What it is then; None if it is not kept."""
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return


class Written(Arriving):
    """A temporary file in the cache, filled by a thread of its own."""

    def __init__(self, room: Room, pieces: Iterable[Buffer] | None = None) -> None:
        self._room = room
        self._added: SimpleQueue[Buffer | None] = SimpleQueue()
        self._pieces: Iterable[Buffer] = iter(self._added.get, None) if pieces is None else pieces
        self._temp = ""
        self._inode = 0
        """That of the file once it is whole."""
        self._given_up = False
        self._began = time.monotonic()
        self._writer = Thread(target=self._write, name="penstock-keep", daemon=True)

    def __enter__(self) -> Self:
        with suppress(RuntimeError):  # there can be no more threads
            self._writer.start()
        return self

    def add(self, piece: Buffer) -> None:
        self._added.put(piece)

    def kept(self, digest: str) -> os.stat_result | None:
        self._wait(max(PATIENCE, (time.monotonic() - self._began) / 4))
        if not self._inode:
            return None
        try:
            self._room.name(self._temp, digest)
            status = os.stat(self._room.file(digest))
        except OSError:
            return None
        return status if status.st_ino == self._inode else None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._given_up = True
        self._wait(None)  # for one piece: whoever has the memory may do with it what they like
        with suppress(OSError):  # it was kept, or nobody could begin it
            os.unlink(self._temp)

    def _wait(self, seconds: float | None) -> None:
        self._added.put(None)
        if self._writer.ident is not None:
            self._writer.join(seconds)

    def _write(self) -> None:
        try:
            self._temp, fd = self._room.temporary()
            try:
                whole = self._fill(fd)
                inode = os.fstat(fd).st_ino
            finally:
                os.close(fd)  # on a network file system this may be where a full disk is said
        except (OSError, ValueError):  # such a disk, or a source that was closed meanwhile
            return
        self._inode = inode if whole else 0

    def _fill(self, fd: int) -> bool:
        """Write every piece, unless it takes too long."""
        for piece in self._pieces:
            view = memoryview(piece).cast("B")
            for start in range(0, view.nbytes, PIECE):
                if self._given_up:
                    return False
                write_all(fd, [view[start : start + PIECE]])
        now = time.time_ns()
        os.utime(fd, ns=(now, now - BEFORE))
        return True
