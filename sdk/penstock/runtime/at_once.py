"""At once: reads that each ask a store for one thing after the other, done together in rounds.

What they ask for in a round is asked for side by side; in the next one they find it at hand. They
begin again in each round, so they must do nothing but read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.errors import NoSuchKey

K = TypeVar("K")
R = TypeVar("R")

All = Callable[[Iterable[str]], dict[str, Buffer]]
"""`get_all` or `use_all` of a store."""

Read = Callable[[Callable[[str], Buffer]], R]
"""Reads something, with what gives the object of a key."""


class AtHand:
    """What was asked for."""

    def __init__(self, ask: All) -> None:
        self._ask = ask
        self._found: dict[str, Buffer | None] = {}
        self._lacking: dict[str, None] = {}

    def fetch(self, keys: Iterable[str]) -> None:
        """Ask for these, unless somebody has."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._found]
        if wanted:
            found = self._ask(wanted)
            self._found.update((key, found.get(key)) for key in wanted)

    def one(self, key: str) -> Buffer:
        """What `get` or `use` of the store would give. Raises `NoSuchKey`, and something of
        its own for what nobody has asked for: let it pass."""
        if key not in self._found:
            self._lacking[key] = None
            raise _Lacking(key)
        found = self._found[key]
        if found is None:
            raise NoSuchKey(f"There is no object {key!r}.")
        return found

    def done(self, reads: Mapping[K, Read[R]]) -> dict[K, R]:
        """What each of these gives that are handed `one`. What one of them raises is raised."""
        results: dict[K, R] = {}
        left = dict(reads)
        while left:
            for name, read in list(left.items()):
                try:
                    results[name] = read(self.one)
                except _Lacking:
                    continue
                del left[name]
            lacking, self._lacking = self._lacking, {}
            self.fetch(lacking)
        return results


def read_all(store: ArtifactStore, reads: Mapping[K, Read[R]]) -> dict[K, R]:
    """What each of these gives that are handed a `get`; of a near store one after the other."""
    if not store.distant:
        return {name: read(store.get) for name, read in reads.items()}
    return AtHand(store.get_all).done(reads)


class _Lacking(Exception):
    """Not asked for yet. No error of ours: whoever handles those must not see it."""
