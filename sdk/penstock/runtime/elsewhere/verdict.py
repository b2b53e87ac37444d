"""Verdicts: what a run has come to that an engine carries out, if nothing more comes of it.

The records are the truth: the engine is believed where they are silent. A verdict counts once it
has lasted: a record may be on its way, and what an engine says can be some seconds old.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from penstock.model.records import RunRecord, Status
from penstock.runtime import processes
from penstock.runtime.engines import Engine
from penstock.runtime.ledger import Ledger
from penstock.runtime.status import BEAT, MISSED, done, run_status, unfinished
from penstock.stack.engine import Seen

TWICE: Final = 3.0
"""Seconds in which a run is looked at some times more: its last records may be on their way."""

SEALING: Final = 60.0
"""Seconds that the last process of a job has to seal the run, after it was started for that."""

UNHEARD: Final = 300.0
"""Seconds after which the records alone are believed, if the engine says nothing."""

STARTING: Final = 600.0
"""Seconds after which nobody is still handing a run to an engine."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """It counts if it stays the same for this many seconds."""

    status: Status
    why: str = ""
    after: float = field(default_factory=lambda: TWICE)
    seals: bool = True
    """Whether it may be written down. Else a later look may find something else."""
    is_gone: bool = False
    """Whether the engine has lost the job."""
    is_unsent: bool = False
    """Whether no engine was ever given it."""


def of_run(
    ledger: Ledger, record: RunRecord, engine: Engine | None, remote_id: str | None, ends: bool
) -> Verdict | None:
    """What became of a run that is not sealed; None as long as it goes on. `ends` says whether
    somebody is started at the end to seal it."""
    finished = done(ledger, record)
    if finished.issuperset(record.calls):
        waits = ends and engine is not None and not engine.is_over
        return Verdict(Status.COMPLETED, after=SEALING if waits else 0.0, seals=engine is not None)
    if engine is None or not engine.answers:
        status = run_status(ledger, record)
        after = 0.0 if engine is None else UNHEARD
        return None if status is Status.RUNNING else Verdict(status, after=after, seals=False)
    if engine.seen is None:
        return _missing(ledger, record, engine, remote_id)
    return _over(ledger, record, engine.name, engine.seen) if engine.seen.is_over else None


def _over(ledger: Ledger, record: RunRecord, name: str, seen: Seen) -> Verdict:
    """What became of a run whose job has ended without all its results."""
    said = words(ledger, record, name, seen)
    if (by := ledger.cancelled(record.run)) is not None or seen.status is Status.STOPPED:
        return Verdict(Status.STOPPED, by or said)
    tried = unfinished(ledger, record.run, done(ledger, record))
    if tried is Status.FAILED and not untold(ledger, record, seen):
        said = ""  # the steps have said it themselves
    return Verdict(tried or Status.LOST, said)


def _missing(
    ledger: Ledger, record: RunRecord, engine: Engine, remote_id: str | None
) -> Verdict | None:
    """What became of a run of which the engine has no job, and had none when it was asked before.
    As long as a step gives signs of life, it is another engine that was asked."""
    if engine.missed < 2 or ledger.signs(record).since_beat() <= MISSED * BEAT:
        return None
    by = ledger.cancelled(record.run)
    if remote_id is None:
        unsent = Verdict(Status.STOPPED, by or "never submitted", is_unsent=True)
        return None if _is_on_its_way(ledger, record) else unsent
    if by is not None:
        return Verdict(Status.STOPPED, by)
    if unfinished(ledger, record.run, done(ledger, record)) is Status.FAILED:
        return Verdict(Status.FAILED)
    why = f"{engine.name} has no such job any more: somebody has deleted it"
    return Verdict(Status.LOST, why, is_gone=True)


def _is_on_its_way(ledger: Ledger, record: RunRecord) -> bool:
    """Whether the process that began a run may still be handing it to the engine."""
    here = record.machine == processes.machine()
    if here and not processes.is_alive(record.process, record.process_started):
        return False
    return ledger.silence(record.run) <= STARTING


def untold(ledger: Ledger, record: RunRecord, seen: Seen) -> Mapping[str, str]:
    """What an engine says of steps whose records say nothing of it."""
    tried = {entry.name for entry in ledger.store.keys(f"runs/{record.run}/attempts/")}
    known = tried | done(ledger, record)
    return {call: why for call, why in seen.calls.items() if why and call not in known}


def words(ledger: Ledger, record: RunRecord, name: str, seen: Seen) -> str:
    """What an engine says of a job that has ended."""
    calls = untold(ledger, record, seen)
    why = "; ".join(f"{call}: {why}" for call, why in calls.items()) or seen.why
    if not why and seen.status is Status.COMPLETED:
        why = "but there are steps without a result"
    return f"{name} says {seen.word}" + (f": {why}" if why else "")


def reason(ledger: Ledger, record: RunRecord, name: str, seen: Seen) -> str:
    """The same if it says more than that the job has failed; else nothing."""
    is_bare = seen.status in (Status.PENDING, Status.RUNNING, Status.FAILED) and not seen.why
    if is_bare and not untold(ledger, record, seen):
        return ""
    return words(ledger, record, name, seen)
