"""Below: the part of a store whose keys begin with a prefix, as a store of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from penstock.artifacts.draft import Draft
from penstock.artifacts.source import Source
from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.lazy import lazy
from penstock.model.component import Finding

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from penstock.artifacts import view
else:
    view = lazy("penstock.artifacts.view")  # only for users who ask for the file system


F = TypeVar("F")


@dataclass(frozen=True, kw_only=True)
class Below(ArtifactStore):
    """Passes everything on, with longer keys: it costs what the store itself costs, without what
    this machine keeps of it."""

    flavor: ClassVar[str] = "below"

    store: ArtifactStore
    """Where it is a part of."""
    prefix: str
    """What its keys begin with there; it ends with '/'."""

    @classmethod
    def of(cls, store: ArtifactStore, prefix: str) -> Below:
        """That part of a store, with what is said for the whole."""
        common = {field.name: getattr(store, field.name) for field in fields(ArtifactStore)}
        return cls(**common, store=store, prefix=prefix)

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        self.store.put(self.prefix + key, buffers, exclusive=exclusive)

    def get(self, key: str) -> Buffer:
        return self.store.get(self.prefix + key)

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        after = self.prefix + start_after if start_after else ""
        for entry in self.store.keys(self.prefix + prefix, start_after=after):
            yield Entry(entry.key.removeprefix(self.prefix), entry.size, entry.modified)

    def tree(self, folder: str) -> Iterator[Entry]:
        for entry in self.store.tree(self.prefix + folder):
            yield Entry(entry.key.removeprefix(self.prefix), entry.size, entry.modified)

    def stat(self, key: str) -> Entry:
        entry = self.store.stat(self.prefix + key)
        return Entry(key, entry.size, entry.modified)

    def delete(self, key: str) -> None:
        self.store.delete(self.prefix + key)

    def touch(self, key: str) -> None:
        self.store.touch(self.prefix + key)

    def use(self, key: str) -> Buffer:
        return self.store.use(self.prefix + key)

    @property
    def distant(self) -> bool:
        return self.store.distant

    def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return self._own(self.store.get_all(self._theirs(keys)))

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return self._own(self.store.use_all(self._theirs(keys)))

    def stat_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        found = self._own(self.store.stat_all(self._theirs(keys)))
        return {key: Entry(key, each.size, each.modified) for key, each in found.items()}

    def read(self, key: str, seen: Callable[[Buffer], object]) -> Buffer:
        return self.store.read(self.prefix + key, seen)

    def abilities(self) -> Mapping[str, Any]:
        return self.store.abilities()

    def learn(self, abilities: Mapping[str, Any]) -> None:
        self.store.learn(abilities)

    @property
    def only_here(self) -> bool:
        return self.store.only_here

    @property
    def read_cache_size(self) -> int:
        """Nothing: what this machine keeps would be measured instead, and would stay there."""
        return 0

    def post(
        self, data: Mapping[str, Buffer], write: Callable[[ArtifactStore], None], *,
        last: bool = False,
    ) -> None:  # fmt: skip
        theirs = {self.prefix + key: buffer for key, buffer in data.items()}
        self.store.post(theirs, lambda whole: write(Below.of(whole, self.prefix)), last=last)

    def flush(self) -> None:
        self.store.flush()

    def conclude(self, seconds: float) -> Collection[str]:
        lost = self.store.conclude(seconds)
        return [key.removeprefix(self.prefix) for key in lost if key.startswith(self.prefix)]

    @property
    def fresh(self) -> float:
        return self.store.fresh

    def freshen(self, found: Entry) -> None:
        self.store.freshen(Entry(self.prefix + found.key, found.size, found.modified))

    def discard(self, key: str, before: float) -> bool:
        return self.store.discard(self.prefix + key, before)

    def delete_all(self, folder: str) -> None:
        self.store.delete_all(self.prefix + folder)

    def leftovers(self, before: float) -> Iterator[Entry]:
        """Those of the whole store are not its own."""
        yield from ()

    def draft(self, source: Source) -> Draft:
        return _Draft(self.store.draft(source), self.prefix)

    def copy_into(self, key: str, fd: int) -> None:
        self.store.copy_into(self.prefix + key, fd)

    def stamp(self, key: str) -> str | None:
        return self.store.stamp(self.prefix + key)

    def obstacle(self, key: str) -> str:
        return self.store.obstacle(self.prefix + key)

    def problems(self) -> Iterator[str]:
        return self.store.problems()

    def remarks(self) -> Iterator[str]:
        return self.store.remarks()

    def check(self) -> Iterator[Finding]:
        return self.store.check()

    def clock(self) -> float:
        return self.store.clock()

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        taken = self.store.publish([self.prefix + key for key in keys], data)
        return tuple(key.removeprefix(self.prefix) for key in taken)

    @property
    def filesystem(self) -> AbstractFileSystem:
        return view.StoreView(self)

    def _theirs(self, keys: Iterable[str]) -> list[str]:
        return [self.prefix + key for key in keys]

    def _own(self, found: dict[str, F]) -> dict[str, F]:
        return {key.removeprefix(self.prefix): each for key, each in found.items()}


class _Draft(Draft):
    def __init__(self, draft: Draft, prefix: str) -> None:
        self._draft = draft
        self._prefix = prefix

    def __enter__(self) -> _Draft:
        self._draft.__enter__()
        return self

    def pieces(self) -> Iterator[Buffer]:
        return self._draft.pieces()

    def keep(self, key: str, digest: str) -> None:
        self._draft.keep(self._prefix + key, digest)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._draft.__exit__(kind, error, traceback)
