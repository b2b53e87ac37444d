"""What a user types for a run: its id, any unique tail of it, or `last`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from penstock.errors import NoSuchKey, NotFound, did_you_mean, listed
from penstock.model.records import RunRecord
from penstock.runtime.ledger import Ledger, run_key
from penstock.runtime.newest import newest as newest_runs
from penstock.runtime.runid import PATTERN

LAST: Final = "last"
"""The newest run that this user started."""

_NEAR: Final = 1000
"""Runs, the newest, among which one with a similar name is looked for."""


def found(ledger: Ledger, typed: str) -> str:
    """The id of the run that was `typed`, which is not `last`. Raises `NotFound`."""
    if ledger.store.distant and PATTERN.fullmatch(typed) and _is_there(ledger, typed):
        return typed  # all the others need not be listed
    known = ledger.runs()
    meant = [run for run in known if run.endswith(typed)] if typed else []
    if len(meant) == 1 or typed in meant:
        return typed if typed in meant else meant[0]
    if meant:
        raise NotFound(
            f"{len(meant)} runs end in {typed!r}: {listed(meant)}.",
            hint="Type more of the one that you mean.",
        )
    tails = [run[-len(typed) :] for run in known[:_NEAR]] if typed else []
    cleaned = " It was cleaned, or lies in another store." if PATTERN.fullmatch(typed) else ""
    raise NotFound(
        f"There is no run {typed!r} in {ledger.store.path}.{cleaned}",
        hint=did_you_mean(typed, [*tails, LAST]) or "Type: penstock run list",
    )


def newest(ledger: Ledger, pipeline: str) -> Iterator[RunRecord]:
    """The records of a pipeline's runs that can be read, the newest first."""
    for told in newest_runs(ledger, lambda run, error: None):
        if told.record.pipeline == pipeline:
            yield told.record


def _is_there(ledger: Ledger, run: str) -> bool:
    try:
        ledger.store.stat(run_key(run))
    except NoSuchKey:
        return False
    return True
