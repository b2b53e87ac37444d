"""The status of a run, derived from its records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from penstock.model.records import RunRecord, Status
from penstock.runtime import processes
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import End

BEAT: Final = 10.0
"""Seconds between two signs of life of a run."""

Sealed = Callable[[str], End | None]
"""Gives the seal of a run, if there is one."""

MISSED: Final = 6
"""Beats after which a run on another machine counts as lost."""


def run_status(ledger: Ledger, record: RunRecord, sealed: Sealed | None = None) -> Status:
    """What the records say, and if they leave it open, whether the process is there. `sealed` gives
    the run's seal, the ledger's by default."""
    sealed = sealed or ledger.sealed
    if (written := _written(ledger, record, sealed)) is not None:
        return written
    if _lives(ledger, record):
        return Status.RUNNING
    # It may have ended between the two looks: what it has written down by then counts.
    return _written(ledger, record, sealed) or Status.LOST


def _written(ledger: Ledger, record: RunRecord, seal: Sealed) -> Status | None:
    """What the seal says; without one, a run with all its steps is complete."""
    sealed = seal(record.run)
    if sealed is not None:
        return sealed.status
    entries = ledger.store.keys(f"runs/{record.run}/steps/")
    done = {entry.name.removesuffix(".json") for entry in entries}
    return Status.COMPLETED if done.union(record.hits).issuperset(record.calls) else None


def _lives(ledger: Ledger, record: RunRecord) -> bool:
    """Whether the process that started the run is still there: here certain, elsewhere by beats."""
    if record.machine == processes.machine():
        return processes.is_alive(record.process, record.process_started)
    return ledger.silence(record.run) <= MISSED * BEAT
