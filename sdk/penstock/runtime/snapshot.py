"""The snapshot: a store of which one folder is known by one listing, until somebody looks again."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.errors import NoSuchKey

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PAGE: Final = 1000
"""Entries that one request lists, as S3 does."""

HOLDS: Final = 600.0
"""Seconds for which it is known what the clock of a distant store is ahead of ours."""


class Snapshot(ArtifactStore):
    """Has what a store has, and asks for as little as can be: whoever watches a run looks again and
    again. What lies in the folder, and what of it has not changed, is known here."""

    _store: ArtifactStore
    _folder: str
    _entries: dict[str, Entry]
    _names: list[str]
    _known: dict[str, tuple[Entry, Buffer]]
    _counted: list[int]
    _clock: tuple[float, float]
    """When it was asked for, and what it was ahead."""

    def __init__(self, store: ArtifactStore, folder: str) -> None:
        """`folder` ends in '/'. Before the first look it is empty."""
        self.__dict__.update({each.name: getattr(store, each.name) for each in fields(store)})
        self.__dict__.update(_store=store, flavor=store.flavor, _folder=folder)
        self.__dict__.update(_entries={}, _names=[], _known={}, _counted=[0])
        self.__dict__.update(_clock=(0.0, 0.0))

    def __getattr__(self, name: str) -> Any:
        """What only this flavor has."""
        return getattr(self.__dict__["_store"], name)

    def look(self) -> None:
        """See what lies in the folder now."""
        found = {entry.key: entry for entry in self._store.tree(self._folder)}
        self._ask(1 + len(found) // PAGE)
        self.__dict__["_entries"] = found
        self.__dict__["_names"] = sorted(found)
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
        """Asked for once in a while: what it is ahead of this machine's changes slowly."""
        if not self._store.distant:
            return self._store.clock()
        now = time.time()
        asked, _ = self._clock
        if not asked <= now <= asked + HOLDS:
            self._ask(1)
            self.__dict__["_clock"] = now, self._store.clock() - now
        return now + self._clock[1]

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
        return (self._entries[key] for key in self._below(folder))

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
            self._entries[key] = Entry(key, size, self.clock())
            self.__dict__["_names"] = sorted(self._entries)

    def delete(self, key: str) -> None:
        self._ask(1)
        self._entries.pop(key, None)
        self.__dict__["_names"] = sorted(self._entries)
        self._store.delete(key)

    def _children(self, prefix: str, start_after: str) -> Iterator[Entry]:
        last = ""
        for key in self._below(prefix):
            name, slash, _ = key[len(prefix) :].partition("/")
            child = prefix + name + slash
            if child != last and child > start_after:
                yield Entry(child, 0, 0.0) if slash else self._entries[key]
            last = child

    def _below(self, prefix: str) -> Iterator[str]:
        names = self._names
        for place in range(bisect_left(names, prefix), len(names)):
            if not names[place].startswith(prefix):
                return
            yield names[place]

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
