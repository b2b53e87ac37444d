"""The outbox: a distant store as a run sees it, which does not wait for what it writes.

What is on its way is there already for whoever reads through it. See `Sending` for what reaches the
store when.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from heapq import merge
from typing import TYPE_CHECKING, Any, TypeVar

from penstock.artifacts.draft import Draft
from penstock.artifacts.source import Source, write_all
from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.model.component import Finding
from penstock.runtime.sending import Sending, Write

if TYPE_CHECKING:
    import threading

    from fsspec import AbstractFileSystem

F = TypeVar("F")


class Outbox(ArtifactStore):
    """Has what a store has, and what is on its way there. Of one run."""

    _store: ArtifactStore
    _sending: Sending

    def __init__(self, store: ArtifactStore) -> None:
        self.__dict__.update({each.name: getattr(store, each.name) for each in fields(store)})
        self.__dict__.update(_store=store, flavor=store.flavor, _sending=Sending(store))

    def __getattr__(self, name: str) -> Any:
        """What only this flavor has."""
        return getattr(self.__dict__["_store"], name)

    def __eq__(self, other: object) -> bool:
        """The place is what counts."""
        return self._store == (other._store if isinstance(other, Outbox) else other)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process has the place, and nothing that is on its way."""
        return _itself, (self._store,)

    def ends_with(self, stop: threading.Event) -> None:
        """Let nobody wait any longer once this is set."""
        self._sending.stop = stop

    def post(self, data: Mapping[str, Buffer], write: Write, *, last: bool = False) -> None:
        self._sending.add(data, write, last=last)

    def flush(self) -> None:
        self._sending.flush()

    def conclude(self, seconds: float) -> Collection[str]:
        return self._sending.conclude(seconds)

    @property
    def distant(self) -> bool:
        return self._store.distant

    @property
    def only_here(self) -> bool:
        return self._store.only_here

    @property
    def read_cache_size(self) -> int:
        return self._store.read_cache_size

    @property
    def filesystem(self) -> AbstractFileSystem:
        return self._store.filesystem

    # What is on its way is read here.

    def get(self, key: str) -> Buffer:
        found = self._sending.shown(key)
        return self._store.get(key) if found is None else bytearray(found)

    def use(self, key: str) -> Buffer:
        found = self._sending.shown(key)
        return self._store.use(key) if found is None else bytearray(found)

    def read(self, key: str, seen: Callable[[Buffer], object]) -> Buffer:
        if self._sending.shown(key) is None:
            return self._store.read(key, seen)
        return super().read(key, seen)

    def stat(self, key: str) -> Entry:
        found = self._sending.shown(key)
        return self._store.stat(key) if found is None else Entry(key, len(found), time.time())

    def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return self._all(keys, self.get, self._store.get_all)

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return self._all(keys, self.use, self._store.use_all)

    def stat_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        return self._all(keys, self.stat, self._store.stat_all)

    def stamp(self, key: str) -> str | None:
        return self._store.stamp(key) if self._sending.shown(key) is None else None

    def obstacle(self, key: str) -> str:
        return self._store.obstacle(key) if self._sending.shown(key) is None else ""

    def copy_into(self, key: str, fd: int) -> None:
        found = self._sending.shown(key)
        if found is None:
            self._store.copy_into(key, fd)
        else:
            write_all(fd, [memoryview(found)])

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        # Looked at before the store: what arrives in between is listed twice, and not never.
        mine = self._sending.entries(prefix, start_after)
        theirs = self._store.keys(prefix, start_after=start_after)
        return _each_once(merge(mine, theirs, key=_key)) if mine else theirs

    def tree(self, folder: str) -> Iterator[Entry]:
        # Level by level what is on its way is seen as well; mostly nothing is.
        return (
            super().tree(folder) if self._sending.entries(folder, "") else self._store.tree(folder)
        )

    # What is written or changed at once comes after what is on its way to the same key.

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        self._sending.wait({key}.__contains__)
        self._store.put(key, buffers, exclusive=exclusive)

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        self._sending.wait(set(keys).__contains__)
        return self._store.publish(keys, data)

    def delete(self, key: str) -> None:
        self._sending.wait({key}.__contains__)
        self._store.delete(key)

    def delete_all(self, folder: str) -> None:
        self._sending.wait(lambda key: key.startswith(folder))
        self._store.delete_all(folder)

    def discard(self, key: str, before: float) -> bool:
        self._sending.wait({key}.__contains__)
        return self._store.discard(key, before)

    def touch(self, key: str) -> None:
        self._sending.wait({key}.__contains__)
        self._store.touch(key)

    @property
    def fresh(self) -> float:
        return self._store.fresh

    def freshen(self, found: Entry) -> None:
        self._store.freshen(found)

    # An object is named by its bytes, and nothing on its way names a large one.

    def draft(self, source: Source) -> Draft:
        return self._store.draft(source)

    # What is about the place, and not about what is in it.

    def abilities(self) -> Mapping[str, Any]:
        return self._store.abilities()

    def learn(self, abilities: Mapping[str, Any]) -> None:
        self._store.learn(abilities)

    def problems(self) -> Iterator[str]:
        return self._store.problems()

    def remarks(self) -> Iterator[str]:
        return self._store.remarks()

    def check(self) -> Iterator[Finding]:
        return self._store.check()

    @property
    def site(self) -> str:
        return self._store.site

    def up(self) -> Sequence[str]:
        return self._store.up()

    def down(self, *, force: bool = False) -> Sequence[str]:
        return self._store.down(force=force)

    def clock(self) -> float:
        return self._store.clock()

    def leftovers(self, before: float) -> Iterator[Entry]:
        return self._store.leftovers(before)

    def _all(
        self,
        keys: Iterable[str],
        here: Callable[[str], F],
        there: Callable[[Iterable[str]], dict[str, F]],
    ) -> dict[str, F]:
        wanted = list(keys)
        mine = {key: here(key) for key in wanted if self._sending.shown(key) is not None}
        return mine | there(key for key in wanted if key not in mine)


def _each_once(entries: Iterable[Entry]) -> Iterator[Entry]:
    last = ""
    for entry in entries:
        if entry.key != last:
            yield entry
        last = entry.key


def _key(entry: Entry) -> str:
    return entry.key


def _itself(store: ArtifactStore) -> ArtifactStore:
    return store
