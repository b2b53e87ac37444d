"""Where artifacts live. A store moves buffers under keys; it knows nothing of values."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias, TypeVar

from penstock import digest
from penstock.artifacts import compression
from penstock.artifacts.draft import Draft, Late
from penstock.artifacts.source import Source, write_all
from penstock.errors import (
    BadConfiguration,
    KeyTaken,
    NoSuchKey,
    StoreError,
    StoreUnavailable,
)  # fmt: skip
from penstock.lazy import lazy
from penstock.model.component import Finding, Secret, StackComponent
from penstock.model.resources import size_bytes

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from penstock.artifacts import probe
else:
    probe = lazy("penstock.artifacts.probe")  # only for who checks a stack

Buffer: TypeAlias = digest.Buffer
"""Bytes in memory, or a private mapping of a file."""

F = TypeVar("F")

LARGE: Final = 1 << 20
"""Bytes from which an object is mapped instead of read, and hashed while it is written."""

FRESH: Final = 1800.0
"""Seconds for which an object that was written or touched is young. Nobody relies on an older one
before it is touched: so what is in use is never old, and cleaning deletes only what is, by far.
Where a touch is a request of its own it is longer: see `ArtifactStore.fresh`."""

PROBES: Final = "probe"
"""Where a check has its object meanwhile. What a killed one leaves goes with the next `gc`."""

_KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One child of a prefix, as a listing shows it."""

    key: str
    """The whole key; a folder's ends with '/'."""
    size: int
    """Bytes; 0 for a folder."""
    modified: float
    """Seconds since 1970; 0 for a folder."""

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class ArtifactStore(StackComponent, ABC):
    """A flat map from keys to bytes. Keys are relative and use forward slashes."""

    category: ClassVar[str] = "artifact-store"

    path: str = ""
    """Where it is: a folder, or a URL that fsspec understands."""
    allow_pickle: Literal["signed", "any", "never"] = "signed"
    """Which pickles may be loaded: those signed with a known key, every one, or none."""
    signing_key: Secret | tuple[Secret, ...] | None = None
    """Signs records; of several, the first signs and all verify. By default the user's own key."""
    compression: Literal["none", "zstd"] = "none"
    """How objects are compressed that are written from now on; all are read, whatever it says."""
    warn_above: str = "10GB"
    """The size from which the end of a run says how large the store is, for example "500GiB"."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "signing_key", self._secrets(self.signing_key))
        if size_bytes(self.warn_above) is None:
            raise BadConfiguration(
                f"The artifact store {self.name!r} has warn_above={self.warn_above!r}, which is no "
                "size.",
                hint="Write a number and a unit, for example warn_above='10GB'.",
            )

    @property
    def distant(self) -> bool:
        """Whether every request takes milliseconds. Then what can be asked for at once is asked for
        at once, and steps do not wait for records that are on their way."""
        return False

    @property
    def only_here(self) -> bool:
        """Whether no other machine can reach it. Then nothing that runs elsewhere is given it."""
        return False

    @property
    def read_cache_size(self) -> int:
        """Bytes that this machine may keep of the objects of such stores: see `DistantStore`."""
        return 0

    @property
    def fresh(self) -> float:
        """Seconds for which an object that was written or touched is young: see `FRESH`."""
        return FRESH

    @abstractmethod
    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        """Write one object, the buffers one after the other: whole or not at all.

        With `exclusive` only where nothing is; else `KeyTaken`.
        """

    @abstractmethod
    def get(self, key: str) -> Buffer:
        """The whole object as one buffer, private to the caller. Raises `NoSuchKey`."""

    @abstractmethod
    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        """What begins with `prefix`, up to the next '/', in ascending order of keys, lazily.

        `start_after` is a key; what is not behind it is left out. So is what others keep in the
        same place under names that are no keys.
        """

    def tree(self, folder: str) -> Iterator[Entry]:
        """Every object whose key begins with this, which ends in '/', in ascending order of keys.

        A store that lists whole trees in one request does better than this.
        """
        for entry in self.keys(folder):
            if entry.key.endswith("/"):
                yield from self.tree(entry.key)
            else:
                yield entry

    @abstractmethod
    def stat(self, key: str) -> Entry:
        """Size and time of one object. Raises `NoSuchKey`."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove one object. Raises `NoSuchKey`."""

    def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        """Those of these objects that are there. A distant store gets them side by side."""
        return _found(self.get, keys)

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        """The same, to be relied on: see `use`."""
        return _found(self.use, keys)

    def stat_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        """Size and time of those of these objects that are there."""
        return _found(self.stat, keys)

    def read(self, key: str, seen: Callable[[Buffer], object]) -> Buffer:
        """What `get` gives. `seen` is told all of it, piece by piece and in order, as it arrives:
        to be hashed meanwhile."""
        data = self.get(key)
        seen(data)
        return data

    def abilities(self) -> Mapping[str, Any]:
        """What the place can do that not every such place can, found out by trying: JSON-able."""
        return {}

    def learn(self, abilities: Mapping[str, Any]) -> None:
        """Be told what `abilities` found out before. Anybody may have written it."""
        return

    def problems(self) -> Iterator[str]:
        """Why nothing can be stored here, a sentence each; asked before anything runs."""
        yield from compression.problems(self.compression)

    def remarks(self) -> Iterator[str]:
        """What somebody who runs a pipeline here should know, a line each; asked once the store has
        been told its `abilities`."""
        yield from ()

    def check(self) -> Iterator[Finding]:
        """Open, write, read, list, write once and delete: with an object of its own."""
        yield from probe.tried(self)

    def draft(self, source: Source) -> Draft:
        """Begin to write an object whose key is not known yet: it is named by its bytes."""
        return Late(source, lambda key, buffers: self.put(key, buffers, exclusive=True))

    def copy_into(self, key: str, fd: int) -> None:
        """Write an object into an open file that is empty, a user's. Raises `NoSuchKey`."""
        write_all(fd, [memoryview(self.get(key))])

    def stamp(self, key: str) -> str | None:
        """What changes whenever the object's bytes do, whoever changes them.

        None for an object that is not there, or where that cannot be told from here: then an
        object is hashed each time that it is read.
        """
        return None

    def obstacle(self, key: str) -> str:
        """What lies in the place of an object that is not there, in words; mostly nothing."""
        return ""

    @property
    @abstractmethod
    def filesystem(self) -> AbstractFileSystem:
        """fsspec's view of the same place, for users."""

    def clock(self) -> float:
        """Now, by the clock that `Entry.modified` is by. Seconds since 1970."""
        return time.time()

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        """Put one object under each of `keys`, in this order, where nothing is yet.

        Returns the keys that were taken already. A store that can give one object several names
        does better than this.
        """
        taken = []
        for key in keys:
            try:
                self.put(key, [data], exclusive=True)
            except KeyTaken:
                taken.append(key)
        return tuple(taken)

    def post(
        self, data: Mapping[str, Buffer], write: Callable[[ArtifactStore], None], *,
        last: bool = False,
    ) -> None:  # fmt: skip
        """Have `write` put these objects, which nobody changes any more, into the store it is
        given.

        A store may do so a little later; whoever reads through it has them at once. What is `last`
        comes after all that was posted before, and tells what became of that: it raises the first
        error.
        """
        write(self)

    def flush(self) -> None:
        """Wait until all that was posted is there. Raises the first error of it."""
        return

    def conclude(self, seconds: float) -> Collection[str]:
        """Wait at most so long for what was posted; all that comes from here on is written at once.

        The keys of what was posted and is not there.
        """
        return ()

    def touch(self, key: str) -> None:
        """Make an object as young as one that is written now. Raises `NoSuchKey`.

        A store that can do it in one step, which fails where the object is just being deleted,
        does better than this.
        """
        self.put(key, [self.get(key)])

    def use(self, key: str) -> Buffer:
        """What `get` gives, to be relied on: an object that is young from now on."""
        self.freshen(self.stat(key))
        return self.get(key)

    def freshen(self, found: Entry) -> None:
        """Touch an object that is to be relied on, unless it is young. Raises `NoSuchKey`."""
        if time.time() - found.modified > self.fresh:
            with suppress(StoreUnavailable):  # who may only read relies on what others leave
                self.touch(found.key)

    def discard(self, key: str, before: float) -> bool:
        """Delete an object unless it was written or touched at this time or since; whether it was
        deleted. Raises `NoSuchKey`.

        A store that can do it in one step does better than this.
        """
        if self.stat(key).modified >= before:
            return False
        self.delete(key)
        return True

    def delete_all(self, folder: str) -> None:
        """Delete every object whose key begins with this, which ends in '/'; not in one step."""
        for entry in list(self.keys(folder)):
            if entry.key.endswith("/"):
                self.delete_all(entry.key)
            else:
                with suppress(NoSuchKey):  # somebody else was first
                    self.delete(entry.key)

    def leftovers(self, before: float) -> Iterator[Entry]:
        """What writers have left that were killed before this time, under keys that `discard`
        takes. It is no object, and no listing has it."""
        yield from ()

    def _secrets(self, given: Any) -> Secret | tuple[Secret, ...] | None:
        """Text given in code is a secret as well: it must not show."""
        if given is None or isinstance(given, Secret):
            return given
        if isinstance(given, str):
            return Secret(given)
        if not given:
            raise BadConfiguration(
                f"The signing_key of the artifact store {self.name!r} is a list without a key.",
                hint="Leave it out to sign with your own key.",
            )
        return tuple(item if isinstance(item, Secret) else Secret(item) for item in given)


def _found(one: Callable[[str], F], keys: Iterable[str]) -> dict[str, F]:
    found = {}
    for key in keys:
        with suppress(NoSuchKey):
            found[key] = one(key)
    return found


def check_key(key: str) -> str:
    """The key itself, or `StoreError` if it could lead out of the store."""
    if not is_key(key):
        raise StoreError(f"{key!r} is not a key: keys are relative, with names between slashes.")
    return key


def check_prefix(prefix: str) -> str:
    """The prefix itself, or `StoreError` if no key can begin like this."""
    if not is_key(f"{prefix}x"):
        raise StoreError(f"No key begins with {prefix!r}: keys are relative.")
    return prefix


def is_key(text: str) -> bool:
    """Whether an object can have this key."""
    return _KEY.fullmatch(text) is not None
