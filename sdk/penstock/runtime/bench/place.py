"""Places: where a bench writes. Whatever happens there, the store is afterwards as it was before.

Everything lies below `tmp/bench-…/` of the store. What a bench leaves there that was killed is
removed by the next one.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.store import ArtifactStore
from penstock.errors import NoSuchKey, StoreUnavailable
from penstock.runtime import processes
from penstock.runtime.bench.below import Below

OLD: Final = 24 * 3600
"""Seconds after which the bench of another machine is over, whatever became of it."""

_NAME: Final = re.compile(r"bench-(\d+)-([0-9a-f]{12})-(\d+)-(\d*)-[0-9a-f]{4}")
"""When it began, on which machine, in which process, started when."""


class Place(Protocol):
    """A part of a store that is a bench's own."""

    @property
    def store(self) -> ArtifactStore:
        """That part."""

    @property
    def prefix(self) -> str:
        """The same for the file system of the whole store."""

    def remove(self) -> None: ...


def place(store: ArtifactStore) -> Place:
    """A new place."""
    if isinstance(store, LocalArtifactStore):
        return Folder(store, _name())
    return Keys(store, _name())


def sweep(store: ArtifactStore) -> None:
    """Remove what benches left that were killed."""
    if isinstance(store, LocalArtifactStore):
        for folder in Path(store.path, "tmp").glob("bench-*"):
            if _is_over(folder.name):
                _remove(folder)
        return
    for entry in store.keys("tmp/bench-"):
        if _is_over(entry.name):
            _delete(store, entry.key)


class Folder:
    """A folder of a local store: it has a whole store of the same kind in it, and plain files."""

    def __init__(self, store: LocalArtifactStore, name: str) -> None:
        self.prefix = f"tmp/{name}/"
        self._folder = Path(store.path, "tmp", name)
        self._made = [each for each in self._folder.parents if not each.exists()]
        """Folders that are there because of us, the innermost first."""
        self.store = replace(store, path=str(self._folder))
        try:
            self._folder.mkdir(parents=True)
        except OSError as error:
            self._unmake()
            raise StoreUnavailable(
                f"The artifact store {store.name!r} cannot use {store.path}: {error.strerror}."
            ) from error

    def remove(self) -> None:
        _remove(self._folder)
        self._unmake()

    def _unmake(self) -> None:
        for folder in self._made:
            with suppress(OSError):  # somebody else has something there by now
                folder.rmdir()


class Keys:
    """Keys of any other store."""

    def __init__(self, store: ArtifactStore, name: str) -> None:
        self.prefix = f"tmp/{name}/"
        self.store = Below.of(store, self.prefix)
        self._whole = store

    def remove(self) -> None:
        _delete(self._whole, self.prefix)


def _name() -> str:
    process = os.getpid()
    facts = (int(time.time()), processes.machine()[:12], process, processes.started(process))
    return f"bench-{'-'.join(map(str, facts))}-{os.urandom(2).hex()}"


def _is_over(name: str) -> bool:
    """Whether this was a bench's, and nobody goes on with it."""
    match = _NAME.fullmatch(name)
    if match is None:
        return False
    if match[2] == processes.machine()[:12]:
        return not processes.is_alive(int(match[3]), match[4])
    return time.time() - int(match[1]) > OLD


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:  # another bench was first
        return
    except OSError as error:
        raise StoreUnavailable(
            f"{folder} of a bench cannot be removed: {error.strerror or error}.",
            hint=f"When nothing uses it any more, type: rm -r {folder}",
        ) from error


def _delete(store: ArtifactStore, prefix: str) -> None:
    for key in list(_below(store, prefix)):
        with suppress(NoSuchKey):  # another bench was first
            store.delete(key)


def _below(store: ArtifactStore, prefix: str) -> Iterator[str]:
    for entry in store.keys(prefix):
        if entry.key.endswith("/"):
            yield from _below(store, entry.key)
        else:
            yield entry.key
