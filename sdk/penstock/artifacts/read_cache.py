"""The read cache: what this machine keeps of distant stores' objects, by their digests.

A folder of the user's own, shared by all processes and all stores, for the same digest means the
same bytes. Nothing in it is believed: a file is hashed before it is handed out, and from then on
known by its stamp for as long as nobody touches it. Whatever goes wrong here, a full disk or a home
that is read-only, costs another request and nothing else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from stat import S_ISREG
from typing import Final

from penstock.artifacts.arriving import Arriving, Written
from penstock.artifacts.hashed import Hashed, settled_stamp
from penstock.artifacts.mapping import mapped
from penstock.artifacts.room import Room, room
from penstock.artifacts.source import read_all, write_all
from penstock.artifacts.store import LARGE, Buffer
from penstock.digest import of_buffers
from penstock.model.user import cache_folder

RECENT: Final = 3600.0
"""Seconds in which a file that was used is not marked as used once more: a mark gives it another
stamp, so that it is hashed again."""

_READ: Final = (
    os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_NOATIME", 0)
)
"""Only what is marked counts as used, not what a backup has read."""


class ReadCache:
    """The files in a folder, for one who relies on what was `seen`. Without a folder nothing is
    kept."""

    def __init__(self, room: Room | None, seen: Hashed) -> None:
        self._room = room
        self._hashed = seen

    def find(
        self, digest: str, size: int | None = None, *, in_memory: bool = False
    ) -> Buffer | None:
        """The bytes with this digest, checked and private to the caller; None if they are not
        here, or not as many. With `in_memory` what is checked is what is returned."""
        if self._room is None:
            return None
        try:
            fd = self._opened(self._room, digest)
            try:
                status = _marked(fd, os.fstat(fd))
                if not _is_own(status) or size not in (None, status.st_size):
                    return None
                data = self._checked(fd, status, digest, in_memory)
                if data is None:  # damaged: it comes anew
                    os.unlink(self._room.file(digest))
                return data
            finally:
                os.close(fd)
        except OSError:  # it is not there, as a rule
            return None

    def keep(self, digest: str, data: Buffer) -> None:
        """Write down what nobody changes meanwhile, here and now: for small objects."""
        if self._room is None:
            return
        with suppress(OSError):  # a full disk
            if self._has(self._room, digest, len(data)) or not self._room.admits(len(data)):
                return
            temp, fd = self._room.temporary()
            try:
                try:
                    write_all(fd, [memoryview(data)])
                finally:
                    os.close(fd)
                self._room.name(temp, digest)
            except BaseException:
                os.unlink(temp)
                raise

    def arriving(self, size: int) -> Arriving:
        """An object on its way from a store. A small one is written when it is there."""
        return self._begun(size) if size >= LARGE else Arriving()

    def leaving(self, digest: str, pieces: Iterable[Buffer], size: int) -> Arriving:
        """An object on its way to a store. Others may change it meanwhile: then it is found out
        by who reads it."""
        if self._room is not None:
            with suppress(OSError):
                if self._has(self._room, digest, size):
                    return Arriving()
        return self._begun(size, pieces)

    def kept(self, arriving: Arriving, digest: str, data: Buffer) -> None:
        """Keep an object that has come, and that was hashed on its way."""
        if len(data) < LARGE:
            return self.keep(digest, data)
        status = arriving.kept(digest)
        stamp = settled_stamp(status) if status is not None else None
        if stamp is not None:
            self._hashed.add(stamp, digest)
        return None

    def lacks(self, digest: str, size: int) -> bool:
        """Whether it would have to be asked for, and could be kept then."""
        if self._room is None:
            return False
        try:
            return not self._has(self._room, digest, size) and self._room.admits(0)
        except OSError:
            return False

    def _begun(self, size: int, pieces: Iterable[Buffer] | None = None) -> Arriving:
        if self._room is not None:
            with suppress(OSError):
                if self._room.admits(size):
                    return Written(self._room, pieces)
        return Arriving()

    def _opened(self, room: Room, digest: str) -> int:
        if not room.is_ours():
            raise PermissionError(digest)
        return os.open(room.file(digest), _READ)

    def _has(self, room: Room, digest: str, size: int) -> bool:
        try:
            status = os.lstat(room.file(digest))
        except FileNotFoundError:
            return False
        return _is_own(status) and status.st_size == size

    def _checked(
        self, fd: int, status: os.stat_result, digest: str, in_memory: bool
    ) -> Buffer | None:
        stamp = None
        if status.st_size < LARGE or in_memory:
            data: Buffer = read_all(fd, status.st_size)
        else:
            data = mapped(fd, status.st_size)
            stamp = settled_stamp(status)
            if stamp is not None and self._hashed.find(stamp) == digest:
                return data
        if of_buffers([data]) != digest:
            return None
        if stamp is not None and settled_stamp(os.fstat(fd)) == stamp:
            self._hashed.add(stamp, digest)
        return data


def read_cache(size: int, seen: Hashed) -> ReadCache:
    """That of the user who runs this process, of up to so many bytes."""
    folder = cache_folder() if size else None
    return ReadCache(room(f"{folder}/objects", size) if folder else None, seen)


def _marked(fd: int, status: os.stat_result) -> os.stat_result:
    """Say that the file is used: those that are not are the first to go."""
    if time.time() - status.st_atime < RECENT:
        return status
    os.utime(fd, ns=(time.time_ns(), status.st_mtime_ns))
    return os.fstat(fd)


def _is_own(status: os.stat_result) -> bool:
    """Whether nobody else can change the file while it is in use."""
    return S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
