"""Cleaning a store, also while others use it.

There are no locks. Who relies on something that is there makes it young before (see
`ArtifactStore.fresh` and `ArtifactStore.use`), and what is young is never deleted, whoever names
it. Of what is old, this goes: runs first, then results in the cache that no run names, then the
objects that nothing names which is left. So whatever names an object is gone before the object is,
and a cleaning that was interrupted leaves only what the next one takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from penstock.artifacts.compression import ENDING
from penstock.artifacts.objects import object_key
from penstock.artifacts.store import Entry
from penstock.digest import is_digest
from penstock.errors import CorruptArtifact, NoSuchKey, NotFound, RunError
from penstock.model import durations
from penstock.runtime.cleaning import compilations, deletion, estimate, pins, retention, sources
from penstock.runtime.cleaning.contents import Contents
from penstock.runtime.cleaning.limits import ENOUGH, Limits
from penstock.runtime.cleaning.marks import Marks
from penstock.runtime.cleaning.report import Cleaned
from penstock.runtime.cleaning.retention import Retention
from penstock.runtime.ledger import Ledger


def clean(ledger: Ledger, limits: Limits, *, delete: bool) -> Cleaned:
    """Delete what nobody needs, or only say what that would be.

    Raises `RunError` if there are runs that go on and the grace is too short for them, and
    `CorruptArtifact` for a place that is no store.
    """
    if not ledger.identity.id:
        return _nothing(ledger)
    return _Cleaning(ledger, limits, delete=delete).done()


def _nothing(ledger: Ledger) -> Cleaned:
    """Where nobody has stored anything. What is there then belongs to somebody else."""
    foreign = [entry.key for entry in ledger.store.keys("")]
    if any(key in ("runs/", "objects/", "cache/") for key in foreign):
        if Ledger(ledger.store, make=False).identity.id:  # the first run of all has just begun
            return Cleaned(ledger.store.path, deleted=False)
        raise CorruptArtifact(
            f"{ledger.store.path} has no store.json: nothing is cleaned in a place that may be no "
            "artifact store.",
            hint="If it is one, write it again, with the id that the records in runs/ have as "
            '"store": {"version": 1, "id": "…"}',
        )
    return Cleaned(ledger.store.path, deleted=False, foreign=foreign)


class _Cleaning:
    def __init__(self, ledger: Ledger, limits: Limits, *, delete: bool) -> None:
        self._ledger = ledger
        self._store = ledger.store
        self._limits = limits
        self._delete = delete
        self._contents = Contents(self._store)
        self._marks = Marks(self._store)
        self._now = self._store.clock()
        self._report = Cleaned(self._store.path, deleted=delete)

    def done(self) -> Cleaned:
        runs = retention.decide(self._ledger, self._contents.runs(), self._limits, self._now)
        self._refuse_haste(runs)
        self._keep_sources(runs)
        self._old = self._now - self._limits.grace
        if runs.oldest_running is not None:
            # What a run has stored is named nowhere before its steps are done, which may take days.
            self._old = min(self._old, runs.oldest_running - self._store.fresh)
        self._stale = min(self._old, self._now - self._limits.keep_cache)
        self._report.kept = runs.kept
        self._clean_runs(runs)
        self._mark(runs)
        self._mark_compiled()
        self._clean_checkpoints()
        self._clean_cache()
        self._clean_objects()
        self._clean_leftovers()
        estimate.measured(self._store, self._report.kind("objects").kept.size)
        self._report.foreign = sorted(self._contents.foreign)
        return self._report

    def _refuse_haste(self, runs: Retention) -> None:
        running = runs.kept.get(retention.RUNNING, [])
        shortest = ENOUGH * self._store.fresh
        if self._limits.grace < shortest and running:
            raise RunError(
                f"Run {running[0]} is running: a grace of less than "
                f"{durations.spoken(shortest)} is for stores that nobody uses.",
                hint=f"Wait for it, or type: penstock gc --grace {durations.written(shortest)}",
            )

    def _keep_sources(self, runs: Retention) -> None:
        """Of what is to go, keep what runs that stay cannot do without."""
        for run in runs.stays if runs.going else ():
            if run in runs.kept.get(retention.UNREADABLE, ()):
                continue
            with suppress(CorruptArtifact, NotFound):  # as much of it stays as there is
                for giver in sources.only_there(self._ledger, run, set(runs.going)):
                    if giver in runs.going:
                        runs.going.remove(giver)
                        runs.kept.setdefault(retention.NEEDED, []).append(giver)

    def _clean_runs(self, runs: Retention) -> None:
        kind = self._report.kind("runs")
        for run in runs.going:
            entries = self._contents.of_run(run)
            if self._delete:
                if pins.is_pinned(self._store, run):  # just now
                    runs.kept.setdefault(retention.PINNED, []).append(run)
                    continue
                deletion.delete(self._store, entries, run)
            self._report.runs.append(run)
            kind.add(_size(entries), gone=True)
        for run in runs.stays:
            kind.add(_size(self._contents.of_run(run)), gone=False)
        for run in runs.remains:  # or one that is just begun
            entries = self._contents.of_run(run)
            if all(entry.modified < self._old for entry in entries):
                if self._delete:
                    deletion.delete(self._store, entries, run)
                for entry in entries:
                    self._report.kind("leftovers").add(entry.size, gone=True)

    def _mark(self, runs: Retention) -> None:
        for run in runs.stays:
            named = self._marks.add(f"runs/{run}/run.json")
            for digest in filter(is_digest, runs.objects.get(run, named)):
                self._marks.add(object_key(digest))
            for folder in ("steps", "expansions"):
                for entry in self._store.keys(f"runs/{run}/{folder}/"):
                    if not entry.key.endswith("/"):  # else somebody else's
                        self._marks.add(entry.key)
        for entry in self._contents.tags():
            self._marks.add(entry.key)
            self._report.tags += 1

    def _mark_compiled(self) -> None:
        """Keep what compiled pipelines need that are in use, or that a schedule starts."""
        unused = min(self._old, self._now - self._limits.keep_compiled)
        scheduled = self._scheduled()
        for entry in self._contents.compiled():
            if entry.name in scheduled:
                self._report.kind("compiled pipelines").add(entry.size, gone=False)
            elif self._discarded("compiled pipelines", entry, unused):
                continue
            found = compilations.needed(self._store, entry.name)
            self._marks.name(found.whole)
            for digest in found.naming:
                self._marks.add(object_key(digest))

    def _scheduled(self) -> set[str]:
        """Whatever schedules name; also one that nobody can read."""
        found: set[str] = set()
        for entry in self._contents.schedules():
            found.update(self._marks.add(entry.key))
        return found

    def _clean_checkpoints(self) -> None:
        for entry in self._contents.shelf("checkpoints"):
            if not self._discarded("checkpoints", entry, self._stale):
                self._marks.add(entry.key)

    def _clean_cache(self) -> None:
        for entry in self._contents.shelf("cache"):
            needed = entry.name.partition(".")[0] in self._marks
            if needed:
                self._report.kind("cache entries").add(entry.size, gone=False)
            if needed or not self._discarded("cache entries", entry, self._stale):
                self._marks.add(entry.key)

    def _clean_objects(self) -> None:
        for entry in self._contents.shelf("objects"):
            if entry.name.removesuffix(ENDING) in self._marks:
                self._report.kind("objects").add(entry.size, gone=False)
            else:
                self._discarded("objects", entry, self._old)

    def _clean_leftovers(self) -> None:
        contents = self._contents
        for entry in (
            *contents.corrupt(), *contents.probes(), *self._store.leftovers(self._old)
        ):  # fmt: skip
            self._discarded("leftovers", entry, self._old)

    def _discarded(self, kind: str, entry: Entry, before: float) -> bool:
        """Whether something that is not needed goes, because it is old."""
        gone = entry.modified < before
        if gone and self._delete:
            with suppress(NoSuchKey):  # somebody else was first
                gone = self._store.discard(entry.key, before)
        self._report.kind(kind).add(entry.size, gone=gone)
        return gone


def _size(entries: Iterable[Entry]) -> int:
    return sum(entry.size for entry in entries)
