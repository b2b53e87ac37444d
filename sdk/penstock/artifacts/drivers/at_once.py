"""Objects that are there with the end of the request that sends them: object stores, memory."""

from __future__ import annotations

import threading
from inspect import signature
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class AtOnce:
    """For object stores, where an object is there with the end of the request that sends it."""

    folders = False
    """Whether a folder is something that is made and stays when it is empty."""
    spares = False
    """Whether the removal of a folder is refused, in the same step, if anything is in it."""

    def top(self, base: str) -> str:
        """What has to be made for a place: of an object store, its bucket."""
        return base.lstrip("/").partition("/")[0]

    def put(self, system: AbstractFileSystem, path: str, data: bytes, temp: str) -> None:
        """Write an object; `temp` is a name that nobody else uses."""
        system.pipe_file(path, data)

    def create(self, system: AbstractFileSystem, path: str, data: bytes, temp: str) -> None:
        """Write an object where nothing is. Raises `FileExistsError`, as far as the driver can
        tell in the same step."""
        self.put(system, path, data, temp)

    def creates(self, system: AbstractFileSystem) -> bool:
        """Whether the driver may be able to tell; whether the server does is to be tried."""
        return False

    def read(self, system: AbstractFileSystem, path: str) -> bytearray:
        """All of an object, private to the caller."""
        return bytearray(system.cat_file(path))


class Conditional(AtOnce):
    """For drivers that send the condition with the object."""

    def create(self, system: AbstractFileSystem, path: str, data: bytes, temp: str) -> None:
        if self.creates(system):
            system.pipe_file(path, data, mode="create")
        else:
            super().create(system, path, data, temp)

    def creates(self, system: AbstractFileSystem) -> bool:
        """Older drivers take no condition."""
        return "mode" in signature(getattr(system, "_pipe_file", system.pipe_file)).parameters


class InMemory(AtOnce):
    """For this process's memory: the driver looks and writes in two steps, and here nobody comes
    between them."""

    _lock: Final = threading.Lock()

    def put(self, system: AbstractFileSystem, path: str, data: bytes, temp: str) -> None:
        with self._lock:
            system.pipe_file(path, data)

    def create(self, system: AbstractFileSystem, path: str, data: bytes, temp: str) -> None:
        with self._lock:
            if path in system.store:
                raise FileExistsError(path)
            system.pipe_file(path, data)

    def creates(self, system: AbstractFileSystem) -> bool:
        return True
