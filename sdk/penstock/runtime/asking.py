"""Asking: how the cache learns what its store has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from penstock.artifacts.values import Values
from penstock.model.graph import Call
from penstock.model.records import Artifact, StepRun
from penstock.runtime.ledger import Ledger


class Asking(Protocol):
    """What whoever looks results up wants to know of the store."""

    def waves(self, calls: Iterable[Call]) -> Iterator[Sequence[Call]]:
        """Calls in an order in which they can run, those together that are to be looked up
        together."""

    def look_ahead(self, keys: Iterable[str]) -> None:
        """Be told which keys will be asked for now."""

    def cached(self, key: str, unread: list[str]) -> StepRun | None:
        """The entry under a key, to be relied on. `unread` is told why there is one that cannot be
        read."""

    def is_there(self, artifact: Artifact) -> bool:
        """Whether every object of an artifact is in the store."""


class Singly:
    """Asks for one thing after the other, when it is wanted."""

    def __init__(self, ledger: Ledger, values: Values) -> None:
        self._ledger = ledger
        self._values = values

    def waves(self, calls: Iterable[Call]) -> Iterator[Sequence[Call]]:
        return ((call,) for call in calls)

    def look_ahead(self, keys: Iterable[str]) -> None:
        return

    def cached(self, key: str, unread: list[str]) -> StepRun | None:
        return self._ledger.cached(key, use=True, unread=unread)

    def is_there(self, artifact: Artifact) -> bool:
        return self._values.is_there(artifact)
