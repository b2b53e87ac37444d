"""Resuming: a run that goes on where an earlier one has ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from penstock.errors import BadArguments, CorruptArtifact, NotFound, RunError
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime import provenance, run_names
from penstock.runtime.cache import Cache, Key, Miss
from penstock.runtime.earlier import NOBODY, Earlier
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import MALFORMED
from penstock.runtime.status import run_status

SPOKEN: Final = {
    "code": "its code",
    "environment": "its packages",
    "formats": "its output annotations",
    "version": "its version",
    "cache_env": "its environment variables",
    "parameters": "parameter",
    "inputs": "input",
}
"""The parts of a key, in words."""

INPUTS: Final = "its inputs"
"""Of a step that is what it was, and depends on one that is not."""


class Resumed:
    """A run that is resumed, and those that it has resumed itself: it may have been stopped before
    it had taken over what they have."""

    def __init__(self, record: RunRecord, ledger: Ledger, cache: Cache) -> None:
        self._ledger = ledger
        self._cache = cache
        self.runs: Sequence[RunRecord] = tuple(_chain(record, ledger))
        self.changes: dict[str, str] = {}
        """Call → what is another than in the resumed run, in words."""

    def instead(self, cached: StepRun | Miss, call: str, key: Key) -> StepRun | None:
        if isinstance(cached, StepRun) and any(_has(each, call, cached) for each in self.runs):
            return None
        for record in self.runs:
            found = committed(self._ledger, record, call)
            if found is None:
                continue
            if found.key != key.digest:
                self.changes.setdefault(call, changed(found.parts, key.parts))
            elif isinstance(usable := self._cache.usable(found, key), StepRun):
                self.changes.pop(call, None)
                return usable
        return None

    @property
    def said(self) -> str:
        """What is resumed, and which steps are others by now, for a note. Those are left out that
        only depend on one which is."""
        first = self.runs[0]
        status = run_status(self._ledger, first).replace("_", " ")
        own = [f"{call} ({what})" for call, what in self.changes.items() if what != INPUTS]
        anew = f"; changed since: {', '.join(own)}" if own else ""
        return f"goes on with run {first.run} ({status}){anew}"


def wanted(resume: Any, pipeline: str, ledger: Ledger) -> RunRecord:
    """The run that is to be resumed: `last`, an id or the tail of one, or a `Run`.

    Raises `NotFound`, `RunError` if it still runs, `BadArguments` if it is of another pipeline.
    """
    if resume == run_names.LAST:
        record = _last(pipeline, ledger)
    else:
        typed = resume if isinstance(resume, str) else resume.record.run
        record = ledger.run(run_names.found(ledger, typed))
    if record.pipeline != pipeline:
        raise BadArguments(
            f"Run {record.run} cannot be resumed by pipeline {pipeline!r}: it is a run of "
            f"{record.pipeline!r} ({record.reference}).",
            hint=f"Type: penstock run list --pipeline {pipeline}",
        )
    if run_status(ledger, record) is Status.RUNNING:
        raise RunError(
            f"Run {record.run} cannot be resumed: it is still running "
            f"({record.user} on {record.host}, process {record.process}).",
            hint=f"Wait for it, or stop it: penstock run cancel {record.run}",
        )
    return record


def named(run: str, ledger: Ledger, cache: Cache) -> Earlier:
    """What the run of this id has; nothing if it was cleaned meanwhile."""
    try:
        return Resumed(ledger.run(run), ledger, cache)
    except (NotFound, CorruptArtifact):
        return NOBODY


def committed(ledger: Ledger, record: RunRecord, call: str) -> StepRun | None:
    """The usable result of a step in a run: its own, or what it took from the cache."""
    with suppress(CorruptArtifact):  # then it is as if there were none
        found = ledger.step(record.run, call)
        if found is None:
            found = ledger.hit_of(record, call)
        if found is not None and found.status in (Status.COMPLETED, Status.CACHED):
            return found
    return None


def _has(record: RunRecord, call: str, result: StepRun) -> bool:
    """Whether a result is the one that a run has: it has computed it, or had it from the cache."""
    by = (result.run, result.call)
    return by == (record.run, call) or record.sources.get(call) == "/".join(by)


def changed(before: str, now: str) -> str:
    """What differs between the parts of two keys, in words."""
    try:
        old, new = json.loads(before), json.loads(now)
        differing = [part for part in SPOKEN if old.get(part) != new.get(part)]
        if differing == ["inputs"]:
            return INPUTS
        words = [word for part in differing for word in _words(part, old, new)]
    except MALFORMED:  # anybody may have written it
        words = []
    return ", ".join(words) or "its key"


def _words(part: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    if part not in ("parameters", "inputs"):
        yield SPOKEN[part]
        return
    before, now = old.get(part) or {}, new.get(part) or {}
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield f"{SPOKEN[part]} {name}"


def _last(pipeline: str, ledger: Ledger) -> RunRecord:
    """The newest run of a pipeline that this user started."""
    user = provenance.user()
    for record in run_names.newest(ledger, pipeline):
        if record.user == user:
            return record
    raise NotFound(
        f"There is nothing to resume: {user} has started no run of {pipeline!r} in "
        f"{ledger.store.path}.",
        hint="Run it without resume=, or name a run: penstock run list",
    )


def _chain(record: RunRecord, ledger: Ledger) -> Iterator[RunRecord]:
    known = set()
    while record.run not in known:
        yield record
        known.add(record.run)
        if not record.resumed:
            return
        try:
            record = ledger.run(record.resumed)
        except (NotFound, CorruptArtifact):  # it was cleaned
            return
