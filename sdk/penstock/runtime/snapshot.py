"""The snapshot: a store of which one folder is known by one listing, until somebody looks again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.errors import NoSuchKey

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PAGE: Final = 1000
"""Entries that one request lists, as S3 does."""


class Snapshot(ArtifactStore):
    """Has what a store has, and asks for as little as can be: whoever watches a run looks again and
    again. What lies in the folder, and what of it has not changed, is known here."""

    _store: ArtifactStore
    _folder: str
    _entries: dict[str, Entry]
    _known: dict[str, tuple[Entry, Buffer]]
    _counted: list[int]

    def __init__(self, store: ArtifactStore, folder: str) -> None:
        """`folder` ends in '/'. Before the first look it is empty."""
        self.__dict__.update({each.name: getattr(store, each.name) for each in fields(store)})
        self.__dict__.update(_store=store, flavor=store.flavor, _folder=folder)
        self.__dict__.update(_entries={}, _known={}, _counted=[0])

    def __getattr__(self, name: str) -> Any:
        """What only this flavor has."""
        return getattr(self.__dict__["_store"], name)

    def look(self) -> None:
        """See what lies in the folder now."""
        found = {entry.key: entry for entry in self._store.tree(self._folder)}
        self._ask(1 + len(found) // PAGE)
        self.__dict__["_entries"] = found
        known = self._known
        for key in [key for key, (entry, _) in known.items() if found.get(key) != entry]:
            del known[key]

    @property
    def asked(self) -> int:
        """How many requests there were so far, as far as can be told."""
        return self._counted[0]

    @property
    def distant(self) -> bool:
        return self._store.distant

    @property
    def only_here(self) -> bool:
        return self._store.only_here

    @property
    def filesystem(self) -> AbstractFileSystem:
        return self._store.filesystem

    def clock(self) -> float:
        return self._store.clock()

    # What lies in the folder is known.

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        if not prefix.startswith(self._folder):
            self._ask(1)
            return self._store.keys(prefix, start_after=start_after)
        return self._children(prefix, start_after)

    def tree(self, folder: str) -> Iterator[Entry]:
        if not folder.startswith(self._folder):
            self._ask(1)
            return self._store.tree(folder)
        return (entry for key, entry in sorted(self._entries.items()) if key.startswith(folder))

    def stat(self, key: str) -> Entry:
        if not key.startswith(self._folder):
            self._ask(1)
            return self._store.stat(key)
        return self._entry(key)

    def get(self, key: str) -> Buffer:
        return self._got(key, self._store.get)

    def use(self, key: str) -> Buffer:
        return self._got(key, self._store.use)

    def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return self._all(keys, self._store.get_all)

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return self._all(keys, self._store.use_all)

    def stat_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        wanted = list(keys)
        others = [key for key in wanted if not key.startswith(self._folder)]
        self._ask(len(others))
        found = self._store.stat_all(others) if others else {}
        return found | {key: self._entries[key] for key in wanted if key in self._entries}

    # What is written is seen at once.

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        self._ask(1)
        self._store.put(key, buffers, exclusive=exclusive)
        if key.startswith(self._folder):
            size = sum(memoryview(buffer).nbytes for buffer in buffers)
            self._entries[key] = Entry(key, size, self._store.clock())

    def delete(self, key: str) -> None:
        self._ask(1)
        self._entries.pop(key, None)
        self._store.delete(key)

    def _children(self, prefix: str, start_after: str) -> Iterator[Entry]:
        last = ""
        for key in sorted(self._entries):
            if not key.startswith(prefix):
                continue
            name, slash, _ = key[len(prefix) :].partition("/")
            child = prefix + name + slash
            if child != last and child > start_after:
                yield Entry(child, 0, 0.0) if slash else self._entries[key]
            last = child

    def _entry(self, key: str) -> Entry:
        if key not in self._entries:
            raise NoSuchKey(f"There is no object under {key!r} in {self.path}.")
        return self._entries[key]

    def _got(self, key: str, get: Callable[[str], Buffer]) -> Buffer:
        if not key.startswith(self._folder):
            self._ask(1)
            return get(key)
        entry = self._entry(key)
        if key not in self._known:
            self._ask(1)
            self._known[key] = entry, get(key)
        return bytearray(self._known[key][1])

    def _all(
        self, keys: Iterable[str], get: Callable[[Iterable[str]], dict[str, Buffer]]
    ) -> dict[str, Buffer]:
        wanted = list(dict.fromkeys(keys))
        ours = [key for key in wanted if key in self._entries]
        new = [key for key in wanted if key not in self._known]
        new = [key for key in new if key in self._entries or not key.startswith(self._folder)]
        self._ask(len(new))
        found = get(new) if new else {}
        for key in ours:
            if key in found:
                self._known[key] = self._entries[key], found[key]
        known = {key: bytearray(self._known[key][1]) for key in ours if key in self._known}
        return found | known

    def _ask(self, requests: int) -> None:
        self._counted[0] += requests
