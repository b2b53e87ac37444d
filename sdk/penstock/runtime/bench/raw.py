"""Raw: the same bytes in the same place, written and read without penstock."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Final

from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.source import write_all
from penstock.artifacts.store import LARGE, ArtifactStore
from penstock.digest import Buffer
from penstock.errors import StoreUnavailable
from penstock.lazy import lazy
from penstock.runtime.bench.place import Place
from penstock.runtime.bench.side import Handle, Side, Value

if TYPE_CHECKING:
    from penstock.artifacts import view
else:
    view = lazy("penstock.artifacts.view")  # not for local stores

PLAIN: Final = "plain files in the same folder"
FSSPEC: Final = "pipe_file and cat_file of its fsspec file system"
NOTHING: Final = "none: the store has no file system that can be written to"


def raw_side(store: ArtifactStore, here: Place) -> tuple[Side | None, str]:
    """The raw side of a store, if it has one, and what that is. It writes `here`."""
    if isinstance(here.store, LocalArtifactStore):
        return Files(here.store), PLAIN
    if isinstance(store.filesystem, view.StoreView):  # which is the store once more
        return None, NOTHING
    side = FileSystem(store, here.prefix)
    return (side, FSSPEC) if side.can_write else (None, NOTHING)


class Files:
    """One plain file for each value: written, closed, given its name."""

    def __init__(self, store: LocalArtifactStore) -> None:
        self._store = store
        self._folder = f"{store.path}/raw"
        self._lasting = store.durability == "power"
        self._numbers = count()
        with _blaming(store, "the plain files beside it"):
            os.makedirs(self._folder)

    def write(self, value: Value) -> str:
        name = f"{self._folder}/{next(self._numbers):064x}"
        temp = f"{name}.part"
        with _blaming(self._store, "the plain files beside it"):
            fd = os.open(temp, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
            try:
                write_all(fd, [memoryview(value)])
                if self._lasting:
                    os.fsync(fd)
            finally:
                os.close(fd)
            os.rename(temp, name)
        return name

    def read(self, handle: Handle) -> Buffer:
        fd = os.open(str(handle), os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(fd).st_size
            if size >= LARGE:
                return mmap.mmap(fd, size, access=mmap.ACCESS_COPY)
            return os.read(fd, size)
        finally:
            os.close(fd)

    def remove(self, handles: Sequence[Handle]) -> None:
        for handle in handles:
            os.unlink(str(handle))


class FileSystem:
    """fsspec's own way to the same place."""

    def __init__(self, store: ArtifactStore, prefix: str) -> None:
        self._store = store
        self._files = store.filesystem
        self._prefix = prefix
        self._numbers = count()

    @property
    def can_write(self) -> bool:
        """Whether it takes anything; some are for reading only."""
        try:
            self.remove([self._written(b"raw")])
        except (NotImplementedError, OSError):  # which is how fsspec says so
            return False
        return True

    def write(self, value: Value) -> str:
        with _blaming(self._store, "its file system"):
            return self._written(value)

    def read(self, handle: Handle) -> Buffer:
        with _blaming(self._store, "its file system"):
            data: bytes = self._files.cat_file(str(handle))
        return data

    def remove(self, handles: Sequence[Handle]) -> None:
        for handle in handles:
            self._files.rm_file(str(handle))

    def _written(self, value: Value) -> str:
        key = f"{self._prefix}raw/{next(self._numbers):064x}"
        self._files.pipe_file(key, value)
        return key


@contextmanager
def _blaming(store: ArtifactStore, what: str) -> Iterator[None]:
    """What fails here is not penstock's own part of the place."""
    try:
        yield
    except Exception as error:  # a file system raises what the libraries below it raise
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise StoreUnavailable(
            f"The artifact store {store.name!r} cannot be compared with {what}: {reason}."
        ) from error
