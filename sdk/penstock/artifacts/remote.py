"""Any place that fsspec has a driver for, as an artifact store."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from penstock.artifacts.distant import DistantStore
from penstock.artifacts.drivers import told
from penstock.artifacts.drivers.driver import ANSWERS, driver_class, system_of
from penstock.artifacts.drivers.side_by_side import found_of
from penstock.artifacts.drivers.ways import way_of
from penstock.artifacts.store import (
    Buffer,
    Entry,
    check_key,
    check_prefix,
    is_key,
)  # fmt: skip
from penstock.errors import (
    BadConfiguration,
    KeyTaken,
    NoSuchKey,
    PenstockError,
    StoreUnavailable,
)  # fmt: skip
from penstock.model.component import Finding, Secret

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from penstock.artifacts.drivers.at_once import AtOnce

T = TypeVar("T")

_log: Final = logging.getLogger("penstock.fsspec")

_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.DOTALL)
_PASSWORD: Final = re.compile(r"://[^/@]*:[^/@]*@")
_ELSEWHERE: Final = {
    **dict.fromkeys(("s3", "s3a"), "Use the flavor 's3', which knows more of it."),
    **dict.fromkeys(("file", "local"), "Use the flavor 'local' for folders of this machine."),
    **dict.fromkeys(("http", "https"), "A web server can be read only; WebDAV is webdav://."),
}
"""Protocols that fsspec has and this flavor refuses, with what to use."""

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

    path: str = ""
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
        if _PASSWORD.search(path):
            raise BadConfiguration(
                f"{self._who} has a password in its path, where everybody sees it.",
                hint="Write it as secrets={'password': '${env:NAME}'}.",
            )
        if complaint := _complaint(path):
            what, hint = complaint
            raise BadConfiguration(f"{self._who} has path={path!r}, {what}.", hint=hint)
        protocol, _, place = path.partition("://")
        object.__setattr__(self, "path", f"{protocol.lower()}://{place.rstrip('/')}")

    @property
    def distant(self) -> bool:
        """Everywhere but in memory."""
        return self._protocol != "memory"

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        path, temp, data = self._of(key), self._of(_temporary()), b"".join(buffers)
        if exclusive and not _creates.get(self.path) and self._is_there(key):
            raise self._taken(key)
        try:
            if exclusive:  # once: a second try would find what the first one has left
                self._asked(lambda system, way: way.create(system, path, data, temp), again=False)
            else:
                self._asked(lambda system, way: way.put(system, path, data, temp))
        except FileExistsError as error:
            raise (self._taken(key) if exclusive else self._refused(error)) from error

    def get(self, key: str) -> Buffer:
        path = self._of(key)

        def read(system: AbstractFileSystem, way: AtOnce) -> bytearray:
            try:
                return way.read(system, path)
            except FileNotFoundError:
                raise
            except Exception:
                if told.is_folder(system.info(path)):
                    raise FileNotFoundError(path) from None
                raise

        return self._asked(read, key)

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        folder, _, begin = check_prefix(prefix).rpartition("/")
        base = f"{folder}/" if folder else ""
        found = [
            told.entry_of(key, each)
            for name, each in self._children(folder)
            if name.startswith(begin) and is_key(name) and (base or name != TEMPORARY)
            if (key := f"{base}{name}{'/' * told.is_folder(each)}") > start_after
        ]
        yield from sorted(found, key=lambda entry: entry.key)

    def stat(self, key: str) -> Entry:
        found = self._asked(lambda system, way: system.info(self._of(key)), key)
        if told.is_folder(found):
            raise self._missing(key)
        return told.entry_of(key, found)

    def delete(self, key: str) -> None:
        self.stat(key)  # of a folder, some drivers would delete all that is in it
        self._asked(lambda system, way: system.rm_file(self._of(key)), key)

    def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return found_of(self.get, keys) if self.distant else super().get_all(keys)

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return found_of(self.use, keys) if self.distant else super().use_all(keys)

    def stat_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        return found_of(self.stat, keys) if self.distant else super().stat_all(keys)

    def delete_all(self, folder: str) -> None:
        super().delete_all(folder)
        if self._way.folders:
            with suppress(NoSuchKey, StoreUnavailable):  # what others keep in there stays
                self._asked(lambda system, way: system.rmdir(self._of(folder.rstrip("/"))), folder)

    def leftovers(self, before: float) -> Iterator[Entry]:
        yield from self._older(TEMPORARY, before)

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
        found = self._asked(lambda system, way: way.creates(system)) and self._refuses_a_second()
        _creates[self.path] = found
        return {CREATES: found}

    def learn(self, abilities: Mapping[str, Any]) -> None:
        """A lie about it costs no more than who can tell it may delete anyway."""
        if isinstance(found := abilities.get(CREATES), bool):
            _creates[self.path] = found

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        try:
            driver_class(self._protocol, self._who)
        except PenstockError as error:
            yield " ".join(str(error).splitlines()).removeprefix(f"{self._who} ")

    def remarks(self) -> Iterator[str]:
        if not _creates.get(self.path):
            yield (
                f"the artifact store {self.name!r} at {self.path} has no conditional writes: of "
                "two who write the same record at the same moment, the later one wins"
            )

    def check(self) -> Iterator[Finding]:
        yield from super().check()
        with suppress(PenstockError):  # which has been told of
            self.abilities()
            yield from (Finding("write once", True, text) for text in self.remarks())

    def up(self) -> None:
        self._asked(lambda system, way: system.makedirs(self._base, exist_ok=True))

    @property
    def filesystem(self) -> AbstractFileSystem:
        from fsspec.core import url_to_fs
        from fsspec.implementations.dirfs import DirFileSystem  # heavy, and only for users

        system, base = url_to_fs(self.path, **self._options)
        return DirFileSystem(base, system)

    @property
    def _who(self) -> str:
        return f"The artifact store {self.name!r}"

    @property
    def _protocol(self) -> str:
        return self.path.partition("://")[0]

    @property
    def _driver(self) -> type[AbstractFileSystem]:
        return driver_class(self._protocol, self._who)

    @property
    def _way(self) -> AtOnce:
        return way_of(self._protocol, self._driver)

    @property
    def _base(self) -> str:
        """The place as its driver calls it."""
        return str(self._driver._strip_protocol(self.path)).rstrip("/")

    def _of(self, key: str) -> str:
        return f"{self._base}/{check_key(key)}"

    def _children(self, folder: str) -> list[tuple[str, Mapping[str, Any]]]:
        """What lies in a folder, each with its name."""
        path = self._of(folder) if folder else self._base or "/"

        def listed(system: AbstractFileSystem, way: AtOnce) -> list[Mapping[str, Any]]:
            try:
                return list(system.ls(path, detail=True))
            except (FileNotFoundError, NotADirectoryError):
                return []

        found = self._asked(listed)
        names = [str(each["name"]).strip("/") for each in found]
        return [
            (name.rpartition("/")[2], each)
            for name, each in zip(names, found, strict=True)
            if name != path.strip("/")  # object stores may keep something that stands for it
        ]

    def _older(self, folder: str, before: float) -> Iterator[Entry]:
        """All objects in a folder and below that were written before a time."""
        for name, each in self._children(folder):
            if is_key(name) and told.is_folder(each):
                yield from self._older(f"{folder}/{name}", before)
            elif is_key(name) and told.modified(each) < before:
                yield told.entry_of(f"{folder}/{name}", each)

    def _is_there(self, key: str) -> bool:
        try:
            self.stat(key)
        except NoSuchKey:
            return False
        return True

    def _refuses_a_second(self) -> bool:
        """Whether what is written only where nothing is cannot be written twice."""
        key = _temporary()
        path, temp = self._of(key), self._of(_temporary())

        def create(system: AbstractFileSystem, way: AtOnce) -> None:
            way.create(system, path, b"probe", temp)

        try:
            self._asked(create, again=False)
            self._asked(create, again=False)
        except FileExistsError:
            return True
        finally:
            with suppress(NoSuchKey, StoreUnavailable):
                self.delete(key)
        return False

    def _asked(
        self, work: Callable[[AbstractFileSystem, AtOnce], T], key: str = "", *, again: bool = True
    ) -> T:
        """Have the driver do it; if that fails without an answer, once more and connected anew.

        Raises `NoSuchKey` if there is no such `key`, `FileExistsError` and `StoreUnavailable`.
        """
        try:
            with system_of(self._driver, self.path, self._options) as system:
                return work(system, self._way)
        except (PenstockError, FileExistsError):
            raise
        except FileNotFoundError as error:
            raise (self._missing(key) if key else self._refused(error)) from None
        except Exception as error:  # each driver has errors of its own
            if not again or isinstance(error, ANSWERS):
                _log.debug("%s has refused", self.path, exc_info=error)
                raise self._refused(error) from None  # a long chain, whose last words are in ours
        return self._asked(work, key, again=False)

    @property
    def _options(self) -> dict[str, Any]:
        return {**self.extra, **{name: each.reveal() for name, each in self.secrets.items()}}

    def _taken(self, key: str) -> KeyTaken:
        return KeyTaken(f"There is an object under {key!r} in {self.path} already.")

    def _missing(self, key: str) -> NoSuchKey:
        return NoSuchKey(f"There is no object {key!r} in {self.path}.")

    def _refused(self, error: Exception) -> StoreUnavailable:
        missing = isinstance(error, FileNotFoundError)
        reason = "there is no such place" if missing else f"{type(error).__name__}: {error}"
        return StoreUnavailable(
            f"{self._who} cannot use {self.path}: {reason.rstrip('.')}.",
            hint=f"To make it, type: penstock artifact-store up {self.name}" if missing else None,
        )


def _temporary() -> str:
    """A key that nobody else uses."""
    return f"{TEMPORARY}/{os.getpid()}-{os.urandom(8).hex()}"


def _complaint(path: str) -> tuple[str, str] | None:
    """What is wrong with a URL and what to write."""
    found = _URL.fullmatch(path)
    if not found:
        return "which is no URL", "Write for example path='gs://bucket/penstock'."
    protocol, place = found.groups()
    place = place.rstrip("/")
    if hint := _ELSEWHERE.get(protocol.lower()):
        return f"and {protocol}:// is not for this flavor", hint
    if "::" in path:
        return "which is a chain, and what stands between may keep copies", "Name the place itself."
    if {"..", "."} & {*place.split("/")} or "//" in place:
        return "and '.', '..' and '//' are not the same everywhere", "Write it without them."
    return None
