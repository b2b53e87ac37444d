"""Sources: runs that have what others took from the cache, where it has something else now."""

from __future__ import annotations

from collections.abc import Container, Iterator

from penstock.model.records import RunRecord
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import Expansion


def only_there(ledger: Ledger, run: str, among: Container[str]) -> Iterator[str]:
    """Those `among` some runs without whose records this one would lack results of its own."""
    records: list[RunRecord | Expansion] = [ledger.run(run), *_expansions(ledger, run)]
    for record in records:
        for call, source in record.sources.items():
            giver = source.partition("/")[0]
            if call in record.hits and giver in among:
                found = ledger.cached(record.hits[call])
                if found is None or f"{found.run}/{found.call}" != source:
                    yield giver


def _expansions(ledger: Ledger, run: str) -> Iterator[Expansion]:
    for entry in ledger.store.keys(f"runs/{run}/expansions/"):
        found = ledger.expansion(run, entry.name.removesuffix(".json"))
        if found is not None:
            yield found
