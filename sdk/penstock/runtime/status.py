"""The status of a run, derived from its records."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

from penstock.errors import NoSuchKey
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

PATIENCE: Final = 3600.0
"""Seconds without any sign after which a run counts as lost whose steps run elsewhere: as long as
none of them has begun, there are no beats."""


def run_status(ledger: Ledger, record: RunRecord, sealed: Sealed | None = None) -> Status:
    """What the records say, and if they leave it open, whether the process is there. `sealed` gives
    the run's seal, the ledger's by default."""
    sealed = sealed or ledger.sealed
    if (written := _written(ledger, record, sealed)) is not None:
        return written
    if _lives(ledger, record):
        return Status.RUNNING
    # It may have ended between the two looks: what it has written down by then counts.
    written = _written(ledger, record, sealed)
    return written or (_elsewhere(ledger, record) if record.elsewhere else Status.LOST)


def done(ledger: Ledger, record: RunRecord) -> set[str]:
    """The steps that have given something usable."""
    entries = ledger.store.keys(f"runs/{record.run}/steps/")
    return {entry.name.removesuffix(".json") for entry in entries}.union(record.hits)


def unfinished(ledger: Ledger, run: str, finished: Container[str]) -> Status | None:
    """What a run is of which nothing goes on any more: failed, or stopped, because steps are that
    are not `finished`. Nothing if none of them has been tried."""
    tried = [entry.name for entry in ledger.store.keys(f"runs/{run}/attempts/")]
    last = [found[-1].status for call in tried if call not in finished
            if (found := ledger.attempts(run, call))]  # fmt: skip
    if not last:
        return None
    return Status.STOPPED if set(last) == {Status.STOPPED} else Status.FAILED


def _written(ledger: Ledger, record: RunRecord, seal: Sealed) -> Status | None:
    """What the seal says; without one, a run with all its steps is complete."""
    sealed = seal(record.run)
    if sealed is not None:
        return sealed.status
    return Status.COMPLETED if done(ledger, record).issuperset(record.calls) else None


def _lives(ledger: Ledger, record: RunRecord) -> bool:
    """Whether somebody is there who carries the run out, or waits for that: here certain, elsewhere
    by beats."""
    here = record.machine == processes.machine()
    is_there = here and processes.is_alive(record.process, record.process_started)
    if is_there and not (record.elsewhere and _is_submitted(ledger, record.run)):
        return True
    if record.elsewhere:
        return ledger.signs(record).since_beat() <= MISSED * BEAT
    return not here and ledger.silence(record.run) <= MISSED * BEAT


def _is_submitted(ledger: Ledger, run: str) -> bool:
    """Whether an engine has it: then whoever submitted it may live on or not."""
    try:
        ledger.store.stat(f"runs/{run}/submitted.json")
    except NoSuchKey:
        return False
    return True


def _elsewhere(ledger: Ledger, record: RunRecord) -> Status:
    """What a run is whose steps run on other machines, of which none gives a sign of life. One step
    may be done and the next one wait for a machine: that can take its time."""
    if (found := unfinished(ledger, record.run, done(ledger, record))) is not None:
        return found
    silence = ledger.store.clock() - ledger.last_sign(record)
    return Status.RUNNING if silence <= PATIENCE else Status.LOST
