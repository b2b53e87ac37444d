"""Objects that are files of some other machine: written in place, so each gets its name last."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from penstock.artifacts.drivers.at_once import AtOnce

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class Renamed(AtOnce):
    """For drivers that can give a file another name in one step."""

    folders = True

    def top(self, base: str) -> str:
        return base

    def put(self, system: AbstractFileSystem, path: str, data: bytes, temp: str) -> None:
        self._named(system, path, data, temp, self.rename)

    def create(self, system: AbstractFileSystem, path: str, data: bytes, temp: str) -> None:
        self._named(system, path, data, temp, self.rename_once)

    def write(self, system: AbstractFileSystem, path: str, data: bytes) -> None:
        system.pipe_file(path, data)

    def rename(self, system: AbstractFileSystem, temp: str, path: str) -> None:
        system.mv(temp, path)

    def rename_once(self, system: AbstractFileSystem, temp: str, path: str) -> None:
        """Raises `FileExistsError`, as far as the driver can tell."""
        self.rename(system, temp, path)

    def _named(
        self,
        system: AbstractFileSystem,
        path: str,
        data: bytes,
        temp: str,
        rename: Callable[[AbstractFileSystem, str, str], None],
    ) -> None:
        try:
            _in_folder(system, temp, lambda: self.write(system, temp, data))
            _in_folder(system, path, lambda: rename(system, temp, path))
        except BaseException:
            with suppress(Exception):  # what has failed is raised, and what stays is a leftover
                system.rm_file(temp)
            raise


class OverSsh(Renamed):
    """For SFTP. A plain rename replaces nothing, says its protocol; not every server does so."""

    spares = True

    def creates(self, system: AbstractFileSystem) -> bool:
        return True

    def write(self, system: AbstractFileSystem, path: str, data: bytes) -> None:
        system.ftp.putfo(io.BytesIO(data), path)  # sends on without waiting for each answer

    def read(self, system: AbstractFileSystem, path: str) -> bytearray:
        data = io.BytesIO()
        system.ftp.getfo(path, data)
        return bytearray(data.getbuffer())

    def rename_once(self, system: AbstractFileSystem, temp: str, path: str) -> None:
        try:
            system.ftp.rename(temp, path)
        except OSError as error:  # which says no more than that it failed
            if system.exists(path):
                raise FileExistsError(path) from error
            raise


def _in_folder(system: AbstractFileSystem, path: str, deed: Callable[[], None]) -> None:
    """Do it in a folder that is made only if it turns out to be missing."""
    try:
        deed()
    except FileExistsError:
        raise
    except Exception:  # drivers say in many ways that there is no such folder
        _make(system, posixpath.dirname(path))
        deed()


def _make(system: AbstractFileSystem, folder: str) -> None:
    """Make a folder, which others may be making as well."""
    if folder in ("", "/") or system.isdir(folder):
        return
    _make(system, posixpath.dirname(folder))
    try:
        system.mkdir(folder, create_parents=False)
    except Exception:
        if not system.isdir(folder):
            raise
