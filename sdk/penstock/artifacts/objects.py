"""Objects: what a store has under the digests of its bytes. Nothing is read unchecked."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from penstock.artifacts.compression import ENDING, packed, unpacked
from penstock.artifacts.draft import Draft
from penstock.artifacts.hashed import Hashed, hashed
from penstock.artifacts.source import Buffers, OpenFile, Source, Writing, unnoticed, write_all
from penstock.artifacts.store import LARGE, ArtifactStore, Buffer
from penstock.digest import is_digest, of_buffers
from penstock.errors import CorruptArtifact, KeyTaken, NoSuchKey, StoreUnavailable
from penstock.model.records import Part

R = TypeVar("R")

MEANWHILE: Final = 8 << 20
"""Bytes that take long enough for other work to begin while they are written."""

SAMPLES: Final = 64
"""Places at which a large value is looked at, to guess whether it was stored before."""

TRIES: Final = 9
"""How often an object is given its name while others delete and write it."""

AGAIN: Final = 0.01
"""Seconds until the second look for an object that should be there."""

SAMPLE: Final = 64
"""Bytes that are looked at in each place."""


class StoredObjects:
    """The objects of one store. What was `seen` of them is what the user has seen, by default."""

    def __init__(self, store: ArtifactStore, seen: Hashed | None = None) -> None:
        self._store = store
        self._hashed = seen or hashed()

    def put(
        self,
        data: Sequence[Buffer] | OpenFile,
        *,
        look: bool = False,
        writing: Writing = unnoticed,
    ) -> Part:
        """Store an object. With `look` it is most likely there already."""
        source = data if isinstance(data, OpenFile) else Buffers(data)
        if source.size >= MEANWHILE:
            writing(source.size)
        if self._store.compression == "zstd":
            return self._put_packed(source)
        if source.size >= LARGE:
            return self._put_large(source)
        # A copy: what is hashed is what is stored, also if another thread changes the value.
        return self.put_as_is(b"".join(source.buffers()), look=look)

    def put_as_is(self, copy: bytes, *, look: bool = False) -> Part:
        """Store what nobody changes any more, never compressed: it is found by its digest alone,
        and whoever unpacks must know the size."""
        part = Part(of_buffers([copy]), len(copy))
        key = object_key(part.digest)
        self._store.post({key: copy}, partial(_write_as_is, key, copy, look))
        return part

    def get(self, part: Part, who: str, *, in_memory: bool = False) -> Buffer:
        """An object, checked, private to the caller.

        With `in_memory` what is checked is what is returned: no file that somebody could change
        in between. Raises `CorruptArtifact`, which moves it aside, or `NoSuchKey`.
        """
        return _found(lambda: self._get(part, who, in_memory))

    def _get(self, part: Part, who: str, in_memory: bool) -> Buffer:
        key = object_key(part.digest)
        try:
            data = self._store.get(key)
        except NoSuchKey:
            return self._get_packed(part, who)
        large = part.size >= LARGE
        if large and in_memory:
            data = bytearray(data)
        stamp = self._store.stamp(key) if large and not in_memory else None
        if len(data) == part.size and self._is_known(part, stamp):
            return data
        if not is_whole(data, part):
            raise self._corrupt(key, part, data, who)
        self._remember(part, stamp)
        return data

    def fetch(self, digest: str, who: str) -> Buffer:
        """What was put as it is, by its digest alone, checked. Raises as `get` does."""
        return _found(lambda: self._fetch(digest, who))

    def _fetch(self, digest: str, who: str) -> Buffer:
        key = object_key(digest)
        try:
            data = self._store.get(key)
        except NoSuchKey:
            raise self._gone(key, who) from None
        part = Part(digest, len(data))
        if not is_whole(data, part):
            raise self._corrupt(key, part, data, who)
        return data

    def write(self, part: Part, fd: int, who: str) -> None:
        """Write an object into an empty file of the user's, and check what it holds then."""
        _found(lambda: self._write(part, fd, who))

    def _write(self, part: Part, fd: int, who: str) -> None:
        if part.size < LARGE:
            write_all(fd, [memoryview(self._get(part, who, in_memory=False))])
            return
        key = object_key(part.digest)
        stamp = self._store.stamp(key)
        try:
            self._store.copy_into(key, fd)
        except NoSuchKey:
            write_all(fd, [memoryview(self._get_packed(part, who))])
            return
        size = os.fstat(fd).st_size
        if size == part.size and self._is_known(part, stamp):
            return
        with mmap.mmap(fd, size, access=mmap.ACCESS_READ) if size else memoryview(b"") as copy:
            whole = is_whole(copy, part)
        if not whole:
            raise self._corrupt(key, part, self._store.get(key), who)
        self._remember(part, stamp)

    def has(self, part: Part) -> bool:
        """Whether it is there, with the right size or compressed."""
        key = object_key(part.digest)
        with suppress(NoSuchKey):
            return self._store.stat(key).size == part.size
        return self._size(key + ENDING) > 0

    def use(self, part: Part) -> bool:
        """Whether it is there, like `has`; then it is young, and may be relied on."""
        return self._is_stored(part) or self._young(object_key(part.digest) + ENDING) > 0

    def has_all(self, parts: Iterable[Part]) -> bool:
        """Whether each of them is there, like `has`."""
        return all(map(self.has, parts))

    def use_all(self, parts: Iterable[Part]) -> bool:
        """Whether each of them is there, like `use`."""
        return all(map(self.use, parts))

    def expect(self, parts: Iterable[Part]) -> None:
        """Be told what is going to be read, one after the other."""
        return

    def those_there(self, parts: Iterable[Part]) -> set[Part]:
        """Those of them that are there, like `has`."""
        return {part for part in parts if self.has(part)}

    def those_in_use(self, parts: Iterable[Part]) -> set[Part]:
        """Those of them that are there as they are, like `use`."""
        return {part for part in parts if self._is_stored(part)}

    def _is_stored(self, part: Part) -> bool:
        """Whether it is there as it is, with the right size, and young from now on."""
        return self._young(object_key(part.digest)) == part.size

    def _young(self, key: str) -> int:
        """The size of an object that is to be relied on; -1 if it is not there.

        One that is touched is another file to `Hashed`: the next to read it hashes it once more.
        """
        return _young(self._store, key)

    def _size(self, key: str) -> int:
        try:
            return self._store.stat(key).size
        except NoSuchKey:
            return -1

    def _put_large(self, source: Source) -> Part:
        """Hash it while it is written; only what was most likely stored before is hashed first."""
        sketch = self._sketch(source)
        likely = self._hashed.find(sketch)
        if likely is not None and self.has(Part(likely, source.size)):
            part = Part(of_buffers(source.chunks()), source.size)
            if self.use(part):
                return part
        with self._store.draft(source) as draft:
            part = Part(of_buffers(draft.pieces()), source.size)
            key = object_key(part.digest)
            self._keep(draft, key, part)
        self._remember(part, self._store.stamp(key))
        self._hashed.add(sketch, part.digest)
        return part

    def _put_packed(self, source: Source) -> Part:
        """Hash first: that is quick beside the work of compressing what is there already."""
        part = Part(of_buffers(source.chunks()), source.size)
        return part if self.use(part) else self._send_packed(source)

    def _send_packed(self, source: Source) -> Part:
        made = packed(source.buffers(), source.size)
        key = object_key(made.digest) + ENDING
        try:
            self._store.put(key, made.buffers, exclusive=True)
        except KeyTaken:
            if self._young(key) < 0:  # it was just cleaned away
                self._store.put(key, made.buffers)
        return Part(made.digest, source.size)

    def _get_packed(self, part: Part, who: str) -> Buffer:
        key = object_key(part.digest) + ENDING
        try:
            stored = self._store.get(key)
        except NoSuchKey:
            raise self._gone(key.removesuffix(ENDING), who) from None
        data = unpacked(stored, part.size)
        if data is None or not is_whole(data, part):
            raise self._corrupt(key, part, stored, who)
        return data

    def _sketch(self, source: Source) -> str:
        """What two values have in common that are probably equal."""
        places = [source.size * n // SAMPLES for n in range(SAMPLES)]
        seen = source.samples(places, SAMPLE).hex()
        return f"sketch {self._store.flavor} {self._store.path} {source.size} {seen}"

    def _keep(self, draft: Draft, key: str, part: Part) -> None:
        for _ in range(TRIES):
            with suppress(KeyTaken):
                draft.keep(key, part.digest)
                return
            size = self._young(key)
            if size == part.size:
                return
            if size >= 0:  # cut short by something else than us: heal it
                with suppress(NoSuchKey):
                    self._store.delete(key)
        raise StoreUnavailable(
            f"The object {key} cannot be kept in {self._store.path}: what is there is no file.",
            hint="Move it away and run again: finished steps are kept.",
        )

    def _remember(self, part: Part, stamp: str | None) -> None:
        """This machine knows what the object holds, for as long as its stamp is this one."""
        if stamp and self._store.stamp(object_key(part.digest)) == stamp:
            self._hashed.add(stamp, part.digest)

    def _is_known(self, part: Part, stamp: str | None) -> bool:
        return stamp is not None and self._hashed.find(stamp) == part.digest

    def _gone(self, key: str, who: str) -> NoSuchKey:
        return NoSuchKey(
            f"{who} is gone from the store {self._store.path}: there is no object {key}.",
            hint="Run the pipeline again: the step that made it will make it anew.",
        )

    def _corrupt(self, key: str, part: Part, data: Buffer, who: str) -> CorruptArtifact:
        if not key.endswith(ENDING) and is_whole(data, Part(part.digest, len(data))):
            return CorruptArtifact(
                f"{who}: the object {key} in {self._store.path} has {len(data)} bytes, and what "
                f"names it says {part.size}.",
                hint="Run the pipeline again: the step that made it will make it anew.",
            )
        aside = f"corrupt/{key.rpartition('/')[2]}"
        size = f"{len(data)} bytes, {part.size} expected"
        if key.endswith(ENDING):
            size = f"{len(data)} bytes, compressed"
        return CorruptArtifact(
            f"{who}: the object {key} in {self._store.path} is not what its digest says ({size}). "
            + (
                f"It was moved to {aside}."
                if self._move_aside(key, aside, part, data)
                else "It could not be moved aside: whoever may write there must delete it."
            ),
            hint="Run the pipeline again: the step that made it will make it anew.",
        )

    def _move_aside(self, key: str, aside: str, part: Part, data: Buffer) -> bool:
        """Make a corrupt object count as gone, so that the next run heals it."""
        try:
            self._store.put(aside, [data])
            found: Buffer | None = self._store.get(key)
            if found is not None and key.endswith(ENDING):
                found = unpacked(found, part.size)
            if found is None or not is_whole(found, part):  # else somebody has healed it
                self._store.delete(key)
        except NoSuchKey:  # somebody else was first
            return True
        except StoreUnavailable:  # a reader who may not write
            return False
        return True


@dataclass(frozen=True, slots=True)
class ObjectsOf:
    """The objects of a store for one value, which is named in errors."""

    objects: StoredObjects
    who: str
    writing: Writing = unnoticed
    made: dict[Part, None] = field(default_factory=dict)
    """Those that were put."""

    def put(self, data: Sequence[Buffer] | OpenFile) -> Part:
        part = self.objects.put(data, look=True, writing=self.writing)
        self.made[part] = None
        return part

    def get(self, part: Part) -> Buffer:
        return self.objects.get(part, self.who)

    def write(self, part: Part, fd: int) -> None:
        self.objects.write(part, fd, self.who)


class OnlyHashed:
    """Stores nothing: for whoever wants to know what the digests would be."""

    def put(self, data: Sequence[Buffer] | OpenFile) -> Part:
        buffers = data.buffers() if isinstance(data, OpenFile) else data
        return Part(of_buffers(buffers), sum(memoryview(buffer).nbytes for buffer in buffers))

    def get(self, part: Part) -> Buffer:
        raise NoSuchKey(f"There is no object {part.digest}: nothing was stored.")

    def write(self, part: Part, fd: int) -> None:
        self.get(part)


def _write_as_is(key: str, copy: bytes, look: bool, store: ArtifactStore) -> None:
    if look and _young(store, key) == len(copy):
        return
    try:
        store.put(key, [copy], exclusive=True)
    except KeyTaken:
        if _young(store, key) != len(copy):  # cut short by something else than us: heal it
            store.put(key, [copy])


def _young(store: ArtifactStore, key: str) -> int:
    """The size of an object that is there, and young from now on; -1 if it is not there."""
    try:
        found = store.stat(key)
        store.freshen(found)
    except NoSuchKey:
        return -1
    return found.size


def _found(look: Callable[[], R]) -> R:
    """Look for an object that should be there. Cleaning may have it in its hands for a moment, to
    see that it is young: then it is there again."""
    try:
        return look()
    except NoSuchKey:
        time.sleep(AGAIN)
        return look()


def is_whole(data: Buffer, part: Part) -> bool:
    """Whether these are the bytes that the digest is of."""
    return len(data) == part.size and of_buffers([data]) == part.digest


def object_key(digest: str) -> str:
    """Where an object lies in a store. Raises `CorruptArtifact` for what is no digest."""
    if not is_digest(digest):
        raise CorruptArtifact(f"{digest!r} is named as an object, and is no digest.")
    return f"objects/{digest[:2]}/{digest}"
