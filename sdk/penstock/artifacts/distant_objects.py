"""Objects of distant stores: with as few requests as can be, and kept on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from penstock.artifacts.compression import ENDING
from penstock.artifacts.hashed import Hashed
from penstock.artifacts.objects import StoredObjects, is_whole, object_key
from penstock.artifacts.read_cache import read_cache
from penstock.artifacts.source import OpenFile, Source, Writing, unnoticed, write_all
from penstock.artifacts.store import LARGE, ArtifactStore, Buffer, Entry
from penstock.digest import hasher
from penstock.errors import NoSuchKey
from penstock.model.records import Part

PORTION: Final = 64 << 20
"""Bytes of small objects that are fetched together."""


class DistantObjects(StoredObjects):
    """The objects of one store. What was read or written once is read from this machine."""

    def __init__(self, store: ArtifactStore, seen: Hashed | None = None) -> None:
        super().__init__(store, seen)
        self._cache = read_cache(store.read_cache_size, self._hashed)

    def put(
        self,
        data: Sequence[Buffer] | OpenFile,
        *,
        look: bool = False,
        writing: Writing = unnoticed,
    ) -> Part:
        """Store an object. Looking for a small one would be a request more than sending it."""
        return super().put(data, writing=writing)

    def put_as_is(self, copy: bytes, *, look: bool = False) -> Part:
        part = super().put_as_is(copy, look=look)
        self._cache.keep(part.digest, copy)
        return part

    def expect(self, parts: Iterable[Part]) -> None:
        """Fetch the small ones at once, for the cache. Only what is right is kept: of the rest is
        told when it is wanted."""
        small = [part for part in parts if part.size < LARGE]
        lacking = [part for part in small if self._cache.lacks(part.digest, part.size)]
        for some in _portions(lacking):
            keys = {object_key(part.digest): part for part in some}
            for key, data in self._store.get_all(keys).items():
                if is_whole(data, keys[key]):
                    self._cache.keep(keys[key].digest, data)

    def those_there(self, parts: Iterable[Part]) -> set[Part]:
        return set(self._entries(parts))

    def has_all(self, parts: Iterable[Part]) -> bool:
        wanted = set(parts)
        return self.those_there(wanted) == wanted

    def use_all(self, parts: Iterable[Part]) -> bool:
        wanted = set(parts)
        found = self._entries(wanted)
        if len(found) < len(wanted):
            return False
        try:
            for entry in found.values():
                self._store.freshen(entry)
        except NoSuchKey:
            return False
        return True

    def _entries(self, parts: Iterable[Part]) -> dict[Part, Entry]:
        """What lies there of those objects that are there, asked for at once."""
        found: dict[Part, Entry] = {}
        wanted = {part: object_key(part.digest) for part in parts}
        for ending in self._endings():
            there = self._store.stat_all([key + ending for key in wanted.values()])
            for part, key in wanted.items():
                entry = there.get(key + ending)
                if entry is not None and (entry.size > 0 if ending else entry.size == part.size):
                    found[part] = entry
            wanted = {part: key for part, key in wanted.items() if part not in found}
        return found

    def has(self, part: Part) -> bool:
        return self.has_all([part])

    def use(self, part: Part) -> bool:
        return self.use_all([part])

    def _get(self, part: Part, who: str, in_memory: bool) -> Buffer:
        key = object_key(part.digest)
        kept = self._cache.find(part.digest, part.size, in_memory=in_memory)
        if kept is not None:
            return kept
        for ending in self._endings():
            with suppress(NoSuchKey):
                return self._get_packed(part, who) if ending else self._read(key, part, who)
        raise self._gone(key, who)

    def _fetch(self, digest: str, who: str) -> Buffer:
        object_key(digest)
        data = self._cache.find(digest)
        if data is None:
            data = super()._fetch(digest, who)
            self._cache.keep(digest, data)
        return data

    def _write(self, part: Part, fd: int, who: str) -> None:
        write_all(fd, [memoryview(self._get(part, who, in_memory=False))])

    def _read(self, key: str, part: Part, who: str) -> Buffer:
        """An object from the store, hashed and kept while it comes."""
        state = hasher(part.size)
        with self._cache.arriving(part.size) as arriving:

            def seen(piece: Buffer) -> None:
                arriving.add(piece)
                state.update(piece)

            data = self._store.read(key, seen)
            if len(data) == part.size and state.hexdigest() == part.digest:
                self._cache.kept(arriving, part.digest, data)
                return data
        return self._again(key, part, who)

    def _again(self, key: str, part: Part, who: str) -> Buffer:
        """What was damaged may have been so on the way only."""
        data = self._store.get(key)
        if not is_whole(data, part):
            raise self._corrupt(key, part, data, who)
        return data

    def _get_packed(self, part: Part, who: str) -> Buffer:
        data = super()._get_packed(part, who)
        self._cache.keep(part.digest, data)
        return data

    def _put_large(self, source: Source) -> Part:
        """Hash it, look for it, and only then send it."""
        with self._store.draft(source) as draft:
            part = _part_of(draft.pieces(), source.size)
            if not self._is_stored(part):
                with self._cache.leaving(part.digest, source.chunks(), part.size) as leaving:
                    self._keep(draft, object_key(part.digest), part)
                    leaving.kept(part.digest)
        return part

    def _put_packed(self, source: Source) -> Part:
        if source.size < LARGE:
            part = self._send_packed(source)
            self._cache.keep(part.digest, b"".join(source.buffers()))
            return part
        part = _part_of(source.chunks(), source.size)
        if self.use(part):
            return part
        with self._cache.leaving(part.digest, source.chunks(), part.size) as leaving:
            sent = self._send_packed(source)
            leaving.kept(sent.digest)
        return sent

    def _endings(self) -> tuple[str, str]:
        """What keys of objects end in, that which they most likely do first."""
        return ("", ENDING) if self._store.compression == "none" else (ENDING, "")


def _portions(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """The parts, as many together as may lie in memory at the same time."""
    portion: list[Part] = []
    size = 0
    for part in parts:
        if size + part.size > PORTION:
            yield portion
            portion, size = [], 0
        portion.append(part)
        size += part.size
    if portion:
        yield portion


def _part_of(pieces: Iterable[Buffer], size: int) -> Part:
    state = hasher(size)
    for piece in pieces:
        state.update(piece)
    return Part(state.hexdigest(), size)
