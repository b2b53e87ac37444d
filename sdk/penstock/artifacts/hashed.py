"""Hashed: the digests of what this user has hashed before, by their stamps.

A stamp is what changes whenever the content does: of a file device, inode, size and both times. A
file in the user's cache folder, outside of any store, has a record for each: the digest of the
stamp, the digest of the content, and a checksum, because over a network two writers may meet.
Records are appended and never changed; who loses the file hashes again, nothing else.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from penstock.digest import digest
from penstock.model.user import cache_folder

RECORD: Final = 80
"""Bytes: twice 32, and 16 that say that both belong together."""
MOST: Final = 32_768
"""Records above which the older half is forgotten."""

TICK: Final = 50_000_000
"""Nanoseconds in which a file can change twice and still have the same times."""
COARSE_TICK: Final = 2_100_000_000
"""The same on file systems that keep whole seconds, or even ones."""


def stamp_of(status: os.stat_result) -> str:
    """What tells a file from what it was before."""
    return (
        f"{status.st_dev} {status.st_ino} {status.st_size} "
        f"{status.st_mtime_ns} {status.st_ctime_ns}"
    )


def tick_of(status: os.stat_result) -> int:
    """Nanoseconds that must pass after a file's times until its next change surely shows."""
    whole = not status.st_mtime_ns % 1_000_000_000 and not status.st_ctime_ns % 1_000_000_000
    return COARSE_TICK if whole else TICK


def settled_stamp(status: os.stat_result) -> str | None:
    """The stamp of a file; None while its next change may not show."""
    settled = time.time_ns() - status.st_mtime_ns >= tick_of(status)
    return stamp_of(status) if settled else None


class Hashed:
    """The records in a file; without one, those of this process."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[bytes, bytes] = {}
        self._read = 0
        self._lock = threading.Lock()

    def find(self, stamp: str) -> str | None:
        """The digest of what has this stamp, if it is known."""
        key = _key(stamp)
        with self._lock:
            if key not in self._known:
                self._catch_up()
            found = self._known.get(key)
        return found.hex() if found is not None else None

    def add(self, stamp: str, content: str) -> None:
        """Remember it. Where it cannot be written down, this process alone does."""
        key, value = _key(stamp), bytes.fromhex(content)
        with self._lock:
            self._known[key] = value
            if self._file is not None:
                with suppress(OSError):  # no home, or a full disk: it costs time, and nothing else
                    self._append(self._file, _record(key, value))

    def _catch_up(self) -> None:
        """Read what other processes have written since."""
        if self._file is None:
            return
        try:
            with self._file.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._read:  # shortened by somebody
                    self._read = 0
                file.seek(self._read)
                data = file.read()
        except OSError:  # there is none yet
            return
        self._read += len(data) // RECORD * RECORD
        self._known.update(_records(data))

    def _append(self, file: Path, record: bytes) -> None:
        if len(self._known) > MOST:
            self._shorten(file)
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            fd = os.open(file, flags, 0o600)
        except FileNotFoundError:
            file.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(file, flags, 0o600)
        try:
            if left := os.fstat(fd).st_size % RECORD:  # half a record, from a power failure
                record = bytes(RECORD - left) + record
            os.write(fd, record)
        finally:
            os.close(fd)

    def _shorten(self, file: Path) -> None:
        """Keep the newer half. What others append meanwhile is lost, and found out again."""
        self._known = dict(list(self._known.items())[-MOST // 2 :])
        temp = file.with_name(f"{file.name}-{os.urandom(4).hex()}")
        try:
            fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as made:
                made.write(b"".join(_record(key, value) for key, value in self._known.items()))
            os.replace(temp, file)
        finally:
            temp.unlink(missing_ok=True)


def hashed() -> Hashed:
    """Those of the user who runs this process."""
    folder = cache_folder()
    return _of(folder / "hashed" if folder else None)


@lru_cache(maxsize=4)
def _of(file: Path | None) -> Hashed:
    return Hashed(file)


def _key(stamp: str) -> bytes:
    return bytes.fromhex(digest("stamp/1", stamp))


def _record(key: bytes, value: bytes) -> bytes:
    return key + value + bytes.fromhex(digest("hashed/1", key, value))[:16]


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for at in range(0, len(data) - RECORD + 1, RECORD):
        key, value = data[at : at + 32], data[at + 32 : at + 64]
        if _record(key, value) == data[at : at + RECORD]:
            yield key, value
