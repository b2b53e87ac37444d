"""The status of a run, derived from its records."""

from __future__ import annotations

import os

from penstock.model.records import RunRecord, Status
from penstock.runtime import provenance
from penstock.runtime.ledger import Ledger


def run_status(ledger: Ledger, record: RunRecord) -> Status:
    """What the seal says, and without one what the records and the process say."""
    sealed = ledger.sealed(record.run)
    if sealed is not None:
        return sealed.status
    done = {
        entry.name.removesuffix(".json") for entry in ledger.store.keys(f"runs/{record.run}/steps/")
    }
    if done.union(record.hits).issuperset(record.calls):
        return Status.COMPLETED
    return Status.RUNNING if _may_live(record) else Status.LOST


def _may_live(record: RunRecord) -> bool:
    """Whether the process that started the run may still be there. Elsewhere nobody can tell."""
    if record.host != provenance.host():
        return True
    try:
        os.kill(record.process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
