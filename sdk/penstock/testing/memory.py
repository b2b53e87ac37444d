"""An artifact store in this process's memory, for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from penstock.artifacts.store import ArtifactStore, Buffer, Entry, check_key, check_prefix
from penstock.errors import KeyTaken, NoSuchKey
from penstock.lazy import lazy

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from penstock.artifacts import view
else:
    view = lazy("penstock.artifacts.view")  # only for users who ask for the file system


class _Object(NamedTuple):
    data: bytes
    modified: float


class _Place:
    """What lies under one path."""

    def __init__(self) -> None:
        self.objects: dict[str, _Object] = {}
        self.lock = threading.Lock()


_PLACES: Final[dict[str, _Place]] = {}


@dataclass(frozen=True, kw_only=True)
class MemoryArtifactStore(ArtifactStore):
    """Keeps artifacts in memory. Stores with the same path have the same objects, in this process
    and until it ends; a forked process goes on with a copy."""

    flavor: ClassVar[str] = "memory"

    path: str = "memory"
    """Any name for the place."""

    @property
    def only_here(self) -> bool:
        return True

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        place, name = self._place, check_key(key)
        made = _Object(b"".join(buffers), time.time())
        with place.lock:
            if exclusive and name in place.objects:
                raise KeyTaken(f"There is an object under {key!r} in {self.path} already.")
            place.objects[name] = made

    def get(self, key: str) -> Buffer:
        return bytearray(self._object(key).data)

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        place, begin = self._place, len(check_prefix(prefix))
        with place.lock:
            found = {key: item for key, item in place.objects.items() if key.startswith(prefix)}
        last = ""
        for key in sorted(found):
            name, slash, _ = key[begin:].partition("/")
            child = prefix + name + slash
            if child != last and child > start_after:
                item = found[key]
                yield Entry(child, 0, 0.0) if slash else Entry(key, len(item.data), item.modified)
            last = child

    def tree(self, folder: str) -> Iterator[Entry]:
        place = self._place
        with place.lock:
            found = {key: item for key, item in place.objects.items() if key.startswith(folder)}
        for key in sorted(found):
            yield Entry(key, len(found[key].data), found[key].modified)

    def stat(self, key: str) -> Entry:
        item = self._object(key)
        return Entry(key, len(item.data), item.modified)

    def delete(self, key: str) -> None:
        place = self._place
        with place.lock:
            if place.objects.pop(check_key(key), None) is None:
                raise self._missing(key)

    def touch(self, key: str) -> None:
        place, name = self._place, check_key(key)
        with place.lock:
            if (found := place.objects.get(name)) is None:
                raise self._missing(key)
            place.objects[name] = found._replace(modified=time.time())

    def discard(self, key: str, before: float) -> bool:
        place, name = self._place, check_key(key)
        with place.lock:
            if (found := place.objects.get(name)) is None:
                raise self._missing(key)
            if found.modified >= before:
                return False
            del place.objects[name]
        return True

    def clear(self) -> None:
        """Forget every object under this path."""
        _PLACES.pop(self.path, None)

    @property
    def filesystem(self) -> AbstractFileSystem:
        return view.StoreView(self)

    @property
    def _place(self) -> _Place:
        # `setdefault` is one step for other threads, and a place that loses is empty.
        return _PLACES.get(self.path) or _PLACES.setdefault(self.path, _Place())

    def _object(self, key: str) -> _Object:
        found = self._place.objects.get(check_key(key))
        if found is None:
            raise self._missing(key)
        return found

    def _missing(self, key: str) -> NoSuchKey:
        return NoSuchKey(f"There is no object {key!r} in {self.path}.")
