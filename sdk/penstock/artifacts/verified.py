"""Verified: what this machine has seen with its own eyes, and need not look at again.

A file in the user's cache folder, outside of any store: digests of facts, 32 bytes each, one after
the other. A fact is for example that the object of this digest, with this stamp, was hashed. Facts
are appended, each in one write, and never changed; who loses the file hashes again, nothing else.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from penstock.digest import digest
from penstock.model.user import cache_folder

SIZE: Final = 32
MOST: Final = 32_768
"""Facts above which the older half is forgotten."""


class Verified:
    """The facts in a file; without one, those of this process."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._facts: dict[bytes, None] = {}
        self._read = 0
        self._lock = threading.Lock()

    def knows(self, *fact: str | bytes) -> bool:
        """Whether this was remembered: by this process, or by another one of this user."""
        wanted = _digest(fact)
        with self._lock:
            if wanted not in self._facts:
                self._catch_up()
            return wanted in self._facts

    def remember(self, *fact: str | bytes) -> None:
        """Write it down. Where that is impossible this process alone remembers."""
        found = _digest(fact)
        with self._lock:
            if found in self._facts:
                return
            self._facts[found] = None
            if self._file is None:
                return
            with suppress(OSError):  # no home, or a full disk: it costs time, and nothing else
                self._append(self._file, found)

    def _catch_up(self) -> None:
        """Read what others have written since."""
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
        whole = len(data) // SIZE * SIZE
        self._read += whole
        self._facts.update(dict.fromkeys(data[at : at + SIZE] for at in range(0, whole, SIZE)))

    def _append(self, file: Path, fact: bytes) -> None:
        if len(self._facts) > MOST:
            self._shorten(file)
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            fd = os.open(file, flags, 0o600)
        except FileNotFoundError:
            file.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(file, flags, 0o600)
        try:
            if left := os.fstat(fd).st_size % SIZE:  # half a fact, from a power failure
                fact = bytes(SIZE - left) + fact
            os.write(fd, fact)
        finally:
            os.close(fd)

    def _shorten(self, file: Path) -> None:
        """Keep the newer half. What others append meanwhile is lost, and found out again."""
        self._facts = dict.fromkeys(list(self._facts)[-MOST // 2 :])
        temp = file.with_name(f"{file.name}-{os.urandom(4).hex()}")
        try:
            fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as made:
                made.write(b"".join(self._facts))
            os.replace(temp, file)
        finally:
            temp.unlink(missing_ok=True)


def verified() -> Verified:
    """Those of the user who runs this process."""
    folder = cache_folder()
    return _of(folder / "verified" if folder else None)


@lru_cache(maxsize=4)
def _of(file: Path | None) -> Verified:
    return Verified(file)


def _digest(fact: tuple[str | bytes, ...]) -> bytes:
    return bytes.fromhex(digest("verified/1", *fact))
