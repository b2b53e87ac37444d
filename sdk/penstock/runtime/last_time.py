"""Last time: which results a run of a pipeline will most likely ask for, by its last runs.

A guess decides nothing. Every key is computed from the code as it is now; it is only that the store
was asked for it before, together with all the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Final

from penstock.digest import is_digest
from penstock.errors import CorruptArtifact
from penstock.model.plan import Plan
from penstock.model.records import RunRecord, Status
from penstock.runtime.cache import Cache
from penstock.runtime.ledger import Ledger
from penstock.runtime.newest import FEW, newest

LOOKED_AT: Final = 5 * FEW
"""Runs, the newest, among which those of the pipeline are looked for."""

UNFINISHED: Final = 3
"""Runs that were not completed, of which one may have what the other lacks."""

Keys = Mapping[str, set[str]]
"""Call → the keys of its results."""


def likely(plan: Plan, ledger: Ledger, cache: Cache) -> Iterator[str]:
    """The keys of the last runs, but of steps that are not what they were then, nor of what depends
    on one: that is seen where nothing must be known to tell a key."""
    keys = _keys(plan.graph.name, ledger)
    changed: set[str] = set()
    for call in plan.graph.calls.values():
        own = keys.get(call.id, set())
        is_known = bool(own) and not call.upstream & changed
        if is_known and not call.upstream:
            is_known = cache.key(call, {}).digest in own
        if is_known:
            yield from own
        else:
            changed.add(call.id)


def _keys(pipeline: str, ledger: Ledger) -> Keys:
    found: dict[str, set[str]] = {}
    for record in islice(_runs(pipeline, ledger), UNFINISHED):
        end = None
        with suppress(CorruptArtifact):  # then nobody knows what it has computed
            end = ledger.sealed(record.run)
        for call, key in (*record.hits.items(), *(end.keys.items() if end else ())):
            if is_digest(key):  # anybody may have written it
                found.setdefault(call, set()).add(key)
        if end is not None and end.status is Status.COMPLETED:
            break
    return found


def _runs(pipeline: str, ledger: Ledger) -> Iterator[RunRecord]:
    """The newest runs of all of a pipeline. What cannot be read tells nothing."""
    for told in islice(newest(ledger, lambda run, error: None), LOOKED_AT):
        if told.record.pipeline == pipeline and not told.record.part:
            yield told.record
