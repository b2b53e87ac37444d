"""The newest runs, as their records tell: many at once where the store is far away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from penstock.errors import CorruptArtifact, NotFound
from penstock.model.records import RunRecord
from penstock.runtime.at_once import AtHand
from penstock.runtime.ledger import Get, Ledger, end_key, run_key
from penstock.runtime.notation import End

FEW: Final = 8
"""Runs whose records are asked for at once, at first."""

MOST: Final = 64
"""By how many more they are at most."""

LeftOut = Callable[[str, CorruptArtifact], object]
"""Is told which run has a record that cannot be read, and why."""


class Told(NamedTuple):
    """What is known of one run."""

    record: RunRecord
    end: End | None
    """Its seal, if it was asked for and can be read."""


def newest(
    ledger: Ledger, left_out: LeftOut, *, first: int = FEW, ends: bool = False
) -> Iterator[Told]:
    """All runs whose record can be read, the newest first.

    Of a distant store the records of the `first` so many are asked for at once, then of more; with
    `ends` the seals as well. A near one has nothing read that nobody wants yet.
    """
    if not ledger.store.distant:
        for portion in ledger.newest():
            yield from _told(portion, ledger, left_out)
        return
    for batch in _batches(ledger.newest(), first):
        at_hand = AtHand(ledger.store.get_all)
        at_hand.fetch(key(run) for key in (run_key, end_key)[: 1 + ends] for run in batch)
        yield from _told(batch, ledger, left_out, at_hand.one, ends=ends)


def _batches(portions: Iterable[Sequence[str]], first: int) -> Iterator[Sequence[str]]:
    """Not across portions: what is at hand may be enough."""
    left = step = max(first, 1)
    for portion in portions:
        while portion:
            batch, portion = portion[:left], portion[left:]
            left -= len(batch)
            yield batch
            if not left:
                left = step = min(2 * step, MOST)


def _told(
    ids: Iterable[str], ledger: Ledger, left_out: LeftOut, get: Get | None = None, *,
    ends: bool = False,
) -> Iterator[Told]:  # fmt: skip
    for run in ids:
        try:
            record = ledger.run(run, get)
        except NotFound:  # it is just being deleted, or its first record is on its way
            continue
        except CorruptArtifact as error:
            left_out(run, error)
            continue
        end = None
        if ends:
            with suppress(CorruptArtifact):  # whoever asks for it will hear of that
                end = ledger.sealed(run, get)
        yield Told(record, end)
