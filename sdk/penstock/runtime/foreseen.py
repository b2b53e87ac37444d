"""Foreseen: results that are asked for at once, because they will be looked up now.

Of a store that is far away only. What is said here is as old as the question: it is for a plan, or
for the items of one map, and then forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from penstock.artifacts.values import Values
from penstock.model.graph import Call
from penstock.model.records import Artifact, StepRun
from penstock.runtime.at_once import AtHand
from penstock.runtime.ledger import Get, Ledger, cache_key


class Foreseen:
    """See `Asking`. What nobody has foreseen is asked for when it is wanted."""

    def __init__(self, ledger: Ledger, values: Values) -> None:
        self._ledger = ledger
        self._values = values
        self._entries: dict[str, tuple[StepRun | None, list[str]]] = {}
        self._asked: set[Artifact] = set()
        self._there: set[Artifact] = set()

    def waves(self, calls: Iterable[Call]) -> Iterator[Sequence[Call]]:
        """First those that need nothing of the others, then those that need them only, …"""
        depth: dict[str, int] = {}
        waves: list[list[Call]] = []
        for call in calls:
            ups = [depth[up] for up in call.upstream if up in depth]
            depth[call.id] = own = max(ups, default=-1) + 1
            if own == len(waves):
                waves.append([])
            waves[own].append(call)
        return iter(waves)

    def look_ahead(self, keys: Iterable[str]) -> None:
        """Ask for the entries under these keys, then for the objects that they name."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._entries]
        if not wanted:
            return
        entries = AtHand(self._ledger.store.use_all)
        entries.fetch(map(cache_key, wanted))
        found = entries.done({key: partial(self._entry, key) for key in wanted})
        self._entries.update(found)
        made = [entry for entry, _ in found.values() if entry is not None]
        outputs = {artifact for each in made for artifact in each.outputs.values()}
        self._there |= self._values.those_there(outputs - self._asked)
        self._asked |= outputs

    def cached(self, key: str, unread: list[str]) -> StepRun | None:
        if key not in self._entries:
            return self._ledger.cached(key, use=True, unread=unread)
        found, why = self._entries[key]
        unread += why
        return found

    def is_there(self, artifact: Artifact) -> bool:
        if artifact not in self._asked:
            return self._values.is_there(artifact)
        return artifact in self._there

    def _entry(self, key: str, get: Get) -> tuple[StepRun | None, list[str]]:
        unread: list[str] = []
        return self._ledger.cached(key, unread=unread, get=get), unread
