"""A place that a driver leads to: what is asked of it there, and how a no is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from penstock.artifacts.drivers import told
from penstock.artifacts.drivers.driver import ANSWERS, driver_class, system_of
from penstock.artifacts.drivers.ways import way_of
from penstock.artifacts.store import Entry, check_key, is_key
from penstock.errors import KeyTaken, NoSuchKey, PenstockError, StoreUnavailable
from penstock.model.component import Secret

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from penstock.artifacts.drivers.at_once import AtOnce

T = TypeVar("T")

_log: Final = logging.getLogger("penstock.fsspec")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder behind a URL. Its parts are called by keys, as those of a store are."""

    url: str
    name: str
    """The store's, to be told of."""
    extra: Mapping[str, Any]
    secrets: Mapping[str, Secret]

    @property
    def who(self) -> str:
        """The store, at the beginning of a sentence."""
        return f"The artifact store {self.name!r}"

    @property
    def driver(self) -> type[AbstractFileSystem]:
        """Raises `MissingExtra`, `BadConfiguration`."""
        return driver_class(self._protocol, self.who)

    @property
    def way(self) -> AtOnce:
        """How objects are written there."""
        return way_of(self._protocol, self.driver)

    @property
    def base(self) -> str:
        """The place as its driver calls it."""
        return str(self.driver._strip_protocol(self.url)).rstrip("/")

    @property
    def options(self) -> dict[str, Any]:
        """What its driver is given. Raises `MissingReference`."""
        return {**self.extra, **{name: each.reveal() for name, each in self.secrets.items()}}

    def shown(self, path: str) -> str:
        """What the driver calls `path`, as people write it."""
        return self.url if path == self.base else f"{self._protocol}://{path}"

    def of(self, key: str) -> str:
        """An object as the driver calls it."""
        return f"{self.base}/{check_key(key)}"

    def asked(
        self, work: Callable[[AbstractFileSystem, AtOnce], T], key: str = "", *, again: bool = True
    ) -> T:
        """Have the driver do it; if that fails without an answer, once more and connected anew.

        Raises `NoSuchKey` if there is no such `key`, `FileExistsError` and `StoreUnavailable`.
        """
        try:
            with system_of(self.driver, self.url, self.options) as system:
                return work(system, self.way)
        except (PenstockError, FileExistsError):
            raise
        except FileNotFoundError as error:
            raise (self.missing(key) if key else self.refused(error)) from None
        except Exception as error:  # each driver has errors of its own
            if not again or isinstance(error, ANSWERS):
                _log.debug("%s has refused", self.url, exc_info=error)
                raise self.refused(error) from None  # a long chain, whose last words are in ours
        return self.asked(work, key, again=False)

    def children(self, folder: str) -> list[tuple[str, Mapping[str, Any]]]:
        """What lies in a folder, each with its name and what the driver tells of it."""
        path = self.of(folder) if folder else self.base or "/"

        def listed(system: AbstractFileSystem, way: AtOnce) -> list[Mapping[str, Any]]:
            try:
                return list(system.ls(path, detail=True))
            except (FileNotFoundError, NotADirectoryError):
                return []

        found = self.asked(listed)
        names = [str(each["name"]).strip("/") for each in found]
        return [
            (name.rpartition("/")[2], each)
            for name, each in zip(names, found, strict=True)
            if name != path.strip("/")  # object stores may keep something that stands for it
        ]

    def older(self, folder: str, before: float) -> Iterator[Entry]:
        """All objects in a folder and below that were written before a time."""
        for name, each in self.children(folder):
            if is_key(name) and told.is_folder(each):
                yield from self.older(f"{folder}/{name}", before)
            elif is_key(name) and told.modified(each) < before:
                yield told.entry_of(f"{folder}/{name}", each)

    def taken(self, key: str) -> KeyTaken:
        """The error for an object that is there already."""
        return KeyTaken(f"There is an object under {key!r} in {self.url} already.")

    def missing(self, key: str) -> NoSuchKey:
        """The error for an object that is not there."""
        return NoSuchKey(f"There is no object {key!r} in {self.url}.")

    def refused(self, error: Exception) -> StoreUnavailable:
        """The error for what the driver has said no to."""
        missing = isinstance(error, FileNotFoundError)
        reason = "there is no such place" if missing else f"{type(error).__name__}: {error}"
        return StoreUnavailable(
            f"{self.who} cannot use {self.url}: {reason.rstrip('.')}.",
            hint=f"To make it, type: penstock artifact-store up {self.name}" if missing else None,
        )

    @property
    def _protocol(self) -> str:
        return self.url.partition("://")[0]
