"""Retention: which runs stay, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from penstock.errors import CorruptArtifact, NoSuchKey, NotFound
from penstock.model.records import RunRecord, Status
from penstock.runtime.cleaning import pins
from penstock.runtime.cleaning.limits import Limits
from penstock.runtime.ledger import Ledger
from penstock.runtime.status import run_status

RUNNING: Final = "running"
PINNED: Final = "pinned"
YOUNG: Final = "younger than the grace"
NEWEST: Final = "among the newest of their pipeline"
COMPLETED: Final = "the newest of their pipeline that is completed"
NEEDED: Final = "of which others took what the cache has no more"
UNREADABLE: Final = "not readable"


@dataclass
class Retention:
    """What was decided of each run."""

    kept: dict[str, list[str]] = field(default_factory=dict)
    """Reason → runs."""
    going: list[str] = field(default_factory=list)
    remains: list[str] = field(default_factory=list)
    """What is left of runs whose deletion was interrupted: they have no record any more."""
    objects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Run → the objects that its record names and that name others: its plan and its code."""
    oldest_running: float | None = None
    """When the oldest run that goes on began, by the store's clock."""

    @property
    def stays(self) -> list[str]:
        return [run for runs in self.kept.values() for run in runs]


def decide(ledger: Ledger, runs: list[str], limits: Limits, now: float) -> Retention:
    """Which of these runs, the newest first, stay."""
    decided = Retention()
    seen: Counter[str] = Counter()
    completed: set[str] = set()
    for run in runs:
        try:
            record = ledger.run(run)
            began = ledger.store.stat(f"runs/{run}/run.json").modified
        except (NotFound, NoSuchKey):
            decided.remains.append(run)
            continue
        except CorruptArtifact:
            decided.kept.setdefault(UNREADABLE, []).append(run)
            continue
        decided.objects[run] = record.plan, record.code
        status = _status(ledger, record)
        if status is Status.RUNNING:
            decided.oldest_running = min(began, decided.oldest_running or began)
        seen[record.pipeline] += 1
        first = status is Status.COMPLETED and record.pipeline not in completed
        if first:
            completed.add(record.pipeline)
        if status is Status.RUNNING:
            why = RUNNING
        elif pins.is_pinned(ledger.store, run):
            why = PINNED
        elif seen[record.pipeline] <= limits.keep_runs:
            why = NEWEST
        elif first and limits.keep_runs:
            why = COMPLETED
        elif now - began <= limits.grace:
            why = YOUNG
        else:
            decided.going.append(run)
            continue
        decided.kept.setdefault(why, []).append(run)
    return decided


def _status(ledger: Ledger, record: RunRecord) -> Status:
    """A run whose seal cannot be read is none that goes on."""
    try:
        return run_status(ledger, record)
    except CorruptArtifact:
        return Status.LOST
