"""Any place that fsspec has a driver for, as an artifact store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from penstock.artifacts.distant import DistantStore
from penstock.artifacts.drivers import told, url
from penstock.artifacts.drivers.place import Place
from penstock.artifacts.drivers.side_by_side import found_of
from penstock.artifacts.store import Buffer, Entry, check_prefix, is_key
from penstock.errors import BadConfiguration, NoSuchKey, PenstockError, StoreUnavailable
from penstock.model import credentials
from penstock.model.component import Finding, Secret

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from penstock.artifacts.drivers.at_once import AtOnce

CREATES: Final = "conditional_writes"
"""Whether an object can be written only where nothing is, as `store.json` has it."""

TEMPORARY: Final = "tmp"
"""The folder of what is on its way. No listing has it."""

_creates: Final[dict[str, bool]] = {}
"""What this process knows of conditional writes, by place."""


@dataclass(frozen=True, kw_only=True)
class RemoteArtifactStore(DistantStore):
    """Keeps artifacts wherever fsspec has a driver for: gs://, az://, sftp://, memory:// …"""

    flavor: ClassVar[str] = "fsspec"
    makes: ClassVar[str] = (
        "its folder or bucket; a bucket is never removed, nor a folder with anything in it"
    )

    path: str = field()  # without the default of the port: it has to be given
    """A URL, for example gs://bucket/penstock."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Options of fsspec's driver, as they are called there."""
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    """More options of the driver that nobody may see, for example a password."""

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Mapping[str, Any] = self.secrets  # text given in code is a secret as well
        secrets = {
            name: each if isinstance(each, Secret) else Secret(each) for name, each in given.items()
        }
        object.__setattr__(self, "secrets", secrets)
        path = str(self.path)
        if complaint := url.complaint(path):
            what, hint = complaint
            raise BadConfiguration(
                f"The artifact store {self.name!r} has path={credentials.hidden(path)!r}, {what}.",
                hint=hint,
            )
        object.__setattr__(self, "path", url.plain(path))

    @property
    def distant(self) -> bool:
        """Everywhere but in memory."""
        return not self.path.startswith("memory:")

    @property
    def only_here(self) -> bool:
        """In memory."""
        return not self.distant

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        place, data = self._place, b"".join(buffers)
        path, temp = place.of(key), place.of(_temporary())
        if exclusive and not _creates.get(self.path) and self._is_there(key):
            raise place.taken(key)
        try:
            if exclusive:  # once: a second try would find what the first one has left
                place.asked(lambda system, way: way.create(system, path, data, temp), again=False)
            else:
                place.asked(lambda system, way: way.put(system, path, data, temp))
        except FileExistsError as error:
            raise (place.taken(key) if exclusive else place.refused(error)) from error

    def get(self, key: str) -> Buffer:
        place = self._place
        path = place.of(key)

        def read(system: AbstractFileSystem, way: AtOnce) -> bytearray:
            try:
                return way.read(system, path)
            except FileNotFoundError:
                raise
            except Exception:
                if told.is_folder(system.info(path)):
                    raise FileNotFoundError(path) from None
                raise

        return place.asked(read, key)

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        folder, _, begin = check_prefix(prefix).rpartition("/")
        base = f"{folder}/" if folder else ""
        found = [
            told.entry_of(key, each)
            for name, each in self._place.children(folder)
            if name.startswith(begin) and is_key(name) and (base or name != TEMPORARY)
            if (key := f"{base}{name}{'/' * told.is_folder(each)}") > start_after
        ]
        yield from sorted(found, key=lambda entry: entry.key)

    def stat(self, key: str) -> Entry:
        place = self._place
        found = place.asked(lambda system, way: system.info(place.of(key)), key)
        if told.is_folder(found):
            raise place.missing(key)
        return told.entry_of(key, found)

    def delete(self, key: str) -> None:
        self.stat(key)  # of a folder, some drivers would delete all that is in it
        place = self._place
        place.asked(lambda system, way: system.rm_file(place.of(key)), key)

    def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return found_of(self.get, keys) if self.distant else super().get_all(keys)

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return found_of(self.use, keys) if self.distant else super().use_all(keys)

    def stat_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        return found_of(self.stat, keys) if self.distant else super().stat_all(keys)

    def delete_all(self, folder: str) -> None:
        super().delete_all(folder)
        place = self._place
        if place.way.folders:
            with suppress(NoSuchKey, StoreUnavailable):  # what others keep in there stays
                place.asked(lambda system, way: system.rmdir(place.of(folder.rstrip("/"))), folder)

    def leftovers(self, before: float) -> Iterator[Entry]:
        yield from self._place.older(TEMPORARY, before)

    def clock(self) -> float:
        """The other machine's, as far as its times are told: what a new object says."""
        key = _temporary()
        try:
            self.put(key, [b"now"])
            try:
                return self.stat(key).modified
            finally:
                self.delete(key)
        except StoreUnavailable:  # who may only read asks the next best
            return super().clock()

    def abilities(self) -> Mapping[str, Any]:
        """Found out by writing one object twice."""
        may = self._place.asked(lambda system, way: way.creates(system))
        found = may and self._refuses_a_second()
        _creates[self.path] = found
        return {CREATES: found}

    def learn(self, abilities: Mapping[str, Any]) -> None:
        """A lie about it costs no more than who can tell it may delete anyway."""
        if isinstance(found := abilities.get(CREATES), bool):
            _creates[self.path] = found

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        place = self._place
        try:
            _ = place.driver
        except PenstockError as error:
            yield " ".join(str(error).splitlines()).removeprefix(f"{place.who} ")

    def remarks(self) -> Iterator[str]:
        if not _creates.get(self.path):
            yield (
                f"the artifact store {self.name!r} at {self.path} has no conditional writes: one "
                "run at a time is safe (docs/how-to/other-stores.md)"
            )

    def check(self) -> Iterator[Finding]:
        yield from super().check()
        with suppress(PenstockError):  # which has been told of
            self.abilities()
            yield from (Finding("conditional writes", True, text) for text in self.remarks())

    @property
    def site(self) -> str:
        return self.path

    def up(self) -> Sequence[str]:
        place = self._place

        def make(system: AbstractFileSystem, way: AtOnce) -> Sequence[str]:
            top = way.top(place.base)
            there = _has(system, top)
            system.makedirs(place.base, exist_ok=True)
            return () if there else (f"made {place.shown(top)}",)

        return place.asked(make) if self.distant else ()  # memory is there, as long as it lasts

    def down(self, *, force: bool = False) -> Sequence[str]:
        """Most drivers delete a folder and all that is in it: they are not asked to."""
        place = self._place

        def remove(system: AbstractFileSystem, way: AtOnce) -> Sequence[str]:
            top = way.top(place.base)
            if not _has(system, top):
                return ()
            if not way.spares:
                return (f"left {place.shown(top)}: it is removed with the tools of its provider",)
            if system.ls(top, detail=False):
                return (f"left {place.shown(top)}, for something is in it",)
            system.rmdir(top)
            return (f"removed {place.shown(top)}",)

        return place.asked(remove) if force else ()

    @property
    def filesystem(self) -> AbstractFileSystem:
        from fsspec.core import url_to_fs
        from fsspec.implementations.dirfs import DirFileSystem  # heavy, and only for users

        place = self._place
        _ = place.driver  # or its package is named
        system, base = url_to_fs(self.path, **place.options)
        return DirFileSystem(base, system)

    @property
    def _place(self) -> Place:
        return Place(self.path, self.name, self.extra, self.secrets)

    def _is_there(self, key: str) -> bool:
        try:
            self.stat(key)
        except NoSuchKey:
            return False
        return True

    def _refuses_a_second(self) -> bool:
        """Whether what is written only where nothing is cannot be written twice."""
        key = _temporary()
        place = self._place
        path, temp = place.of(key), place.of(_temporary())

        def create(system: AbstractFileSystem, way: AtOnce) -> None:
            way.create(system, path, b"probe", temp)

        try:
            place.asked(create, again=False)
            place.asked(create, again=False)
        except FileExistsError:
            return True
        finally:
            with suppress(NoSuchKey, StoreUnavailable):
                self.delete(key)
        return False


def _has(system: AbstractFileSystem, path: str) -> bool:
    """Whether there is such a folder or bucket. Who may not look is not told that there is none."""
    try:
        system.info(path)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    return True


def _temporary() -> str:
    """A key that nobody else uses."""
    return f"{TEMPORARY}/{os.getpid()}-{os.urandom(8).hex()}"
