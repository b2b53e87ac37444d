"""Room: the folder of the read cache, and how much lies in it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from stat import S_IMODE, S_ISDIR
from typing import Final

SHARE: Final = 16
"""A process looks at the whole folder each time that it has written this part of what may lie
there: so that what many write at once is seen, and nobody looks all the time."""

LEFT_BEHIND: Final = 3600.0
"""Seconds after which a file that is still being written is that of a writer who was killed."""


class Room:
    """A folder of this user's, with files by digest. Every method may raise `OSError`."""

    def __init__(self, folder: str, most: int) -> None:
        self._folder = folder
        self._most = most
        self._share = most // SHARE
        # Not the same for all: of many processes that each write little, some look.
        self._until = int.from_bytes(os.urandom(4), "big") * self._share >> 32
        self._lock = threading.Lock()

    def file(self, digest: str) -> str:
        """Where the object with this digest lies, if it does."""
        return f"{self._folder}/{digest[:2]}/{digest}"

    def is_ours(self) -> bool:
        """Whether the folder is there, and nobody else can look into it or change what is there."""
        status = os.lstat(self._folder)
        if not S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            return False
        if S_IMODE(status.st_mode) & 0o077:
            os.chmod(self._folder, 0o700)
        return True

    def admits(self, size: int) -> bool:
        """Whether so many bytes may come, after others have gone if need be. A cache leaves at
        least half of what is free on the disk."""
        if size > self._most or not self._made():
            return False
        disk = os.statvfs(self._folder)
        if size > disk.f_bavail * disk.f_frsize // 2:
            return False
        with self._lock:
            self._until -= size
            if self._until < 0:
                self._leave(self._most - self._share - size)
                self._until = self._share
        return True

    def temporary(self) -> tuple[str, int]:
        """A new file, to be written, that nobody else knows of."""
        temp = f"{self._folder}/tmp/{os.getpid()}-{os.urandom(8).hex()}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        try:
            return temp, os.open(temp, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(temp), exist_ok=True)
            return temp, os.open(temp, flags, 0o600)

    def name(self, temp: str, digest: str) -> None:
        """Give a whole file its name, in the place of what may be there."""
        file = self.file(digest)
        try:
            os.replace(temp, file)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(file), exist_ok=True)
            os.replace(temp, file)

    def _made(self) -> bool:
        try:
            return self.is_ours()
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._folder), exist_ok=True)
            with suppress(FileExistsError):
                os.mkdir(self._folder, 0o700)
            return self.is_ours()

    def _leave(self, most: int) -> None:
        """Let no more than so many bytes lie here: what is being written, and was used last."""
        held = 0
        for used, size, path in sorted(self._files(), reverse=True):
            held += size
            killed = used < time.time() - LEFT_BEHIND
            if killed if _is_unfinished(path) else held > most:
                held -= size
                with suppress(FileNotFoundError):  # somebody else was first
                    os.unlink(path)

    def _files(self) -> Iterator[tuple[float, int, str]]:
        """When each file was used, its size, and where it is."""
        for folder in os.scandir(self._folder):
            if folder.is_dir(follow_symlinks=False):
                for item in os.scandir(folder):
                    with suppress(FileNotFoundError):
                        status = item.stat(follow_symlinks=False)
                        yield status.st_atime, status.st_size, item.path


def _is_unfinished(path: str) -> bool:
    return os.path.basename(os.path.dirname(path)) == "tmp"


@lru_cache(maxsize=8)
def room(folder: str, most: int) -> Room:
    """That of a folder, one for all threads of this process."""
    return Room(folder, most)
