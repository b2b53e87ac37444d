"""Jobs: what an engine carries out, and which run that is.

An engine can start what it was handed once more: somebody clones it, a schedule fires. Each job is
a run of its own, and no process of a job need be the first: they agree by what lies in the store,
`jobs/<job>` and `runs/<run>/submitted.json`.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from penstock.artifacts.identity import keeps_others_out
from penstock.artifacts.store import ArtifactStore
from penstock.errors import CannotRun, CorruptArtifact, KeyTaken, NoSuchKey
from penstock.model.records import RunRecord
from penstock.runtime import processes, provenance
from penstock.runtime.ledger import Ledger, run_key
from penstock.runtime.notation import MALFORMED
from penstock.runtime.runid import PATTERN, new_run_id
from penstock.stack.orchestrator import NEW

JOB: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What the id of a job looks like. Anything else was not filled in by its engine."""

MOMENT: Final = 1.0
"""Seconds after which nobody writes any more who has seen nothing there."""

UNSURE: Final = "unsure"
"""Marks what was written where nobody is kept out: somebody else may just write as well."""

_dump: Final = json.JSONEncoder().encode


def run_of(store: ArtifactStore, job: str, submitted: str) -> str:
    """The run that a job is. `submitted` is the run that it was submitted for, or `NEW`.

    Raises `CannotRun` for what is no id.
    """
    if submitted != NEW and not PATTERN.fullmatch(submitted):
        raise CannotRun(f"{submitted!r} is no id of a run.")
    if not job and submitted != NEW:
        return submitted
    if not JOB.fullmatch(job):
        raise CannotRun(f"{job!r} is no id of a job: the engine has not filled it in.")
    key = job_key(job)
    if (known := _settled(store, key, "run")) is None:
        is_its_own = submitted != NEW and _is_claimed(store, submitted, job)
        known = _agreed(store, key, "run", {"run": submitted if is_its_own else new_run_id()})
    return _checked(store, key, known)


def known_run(store: ArtifactStore, job: str) -> str | None:
    """The run that a job is known to be."""
    key = job_key(job)
    said = _said(store, key, "run")
    return None if said is None else _checked(store, key, said["run"])


def job_of(store: ArtifactStore, run: str) -> str | None:
    """The job that a run was submitted as, if that was noted."""
    said = _said(store, submitted_key(run), "remote_id")
    return None if said is None else said["remote_id"]


def job_for(store: ArtifactStore, record: RunRecord) -> str | None:
    """The job that a run is, as far as that is known here. The record counts first: what is noted
    beside it anybody may have written, signed by nobody."""
    return record.job or job_of(store, record.run)


def page_of(store: ArtifactStore, run: str) -> str | None:
    """Where the engine shows that job, if that was noted."""
    said = _said(store, submitted_key(run), "remote_id")
    return said.get("url") and str(said["url"]) if said else None


def submitted_as(store: ArtifactStore, run: str, job: str, url: str | None) -> str:
    """Note as which job a run was submitted; that which counts. Its first process may have done so
    before, and knows no page of it."""
    key, said = submitted_key(run), {"remote_id": job, "url": url}
    counts = _agreed(store, key, "remote_id", said)
    if counts == job and url is not None and page_of(store, run) != url:
        store.put(key, [_dump(said).encode()])
    return counts


def begun(ledger: Ledger, run: str, job: str, pattern: RunRecord) -> RunRecord | None:
    """Write down that the run of a job begins, unless somebody has. Its record is a copy of the
    pattern, with what makes it this run."""
    try:
        ledger.store.stat(run_key(run))
        return None
    except NoSuchKey:
        pass
    process = provenance.process()
    record = replace(
        pattern, run=run, job=job, host=provenance.host(), process=process, started=time.time(),
        machine=processes.machine(), process_started=processes.own_start(process), elsewhere=True,
    )  # fmt: skip
    try:
        ledger.begin(record)
    except KeyTaken:
        return None
    _is_claimed(ledger.store, run, job)
    return record


def job_key(job: str) -> str:
    """Where it is written which run a job is."""
    return f"jobs/{job}"


def submitted_key(run: str) -> str:
    """Where it is written as which job a run was submitted."""
    return f"runs/{run}/submitted.json"


def _is_claimed(store: ArtifactStore, run: str, job: str) -> bool:
    """Whether a run is this job's: the first that asks has it."""
    key, said = submitted_key(run), {"remote_id": job, "url": None}
    return (_settled(store, key, "remote_id") or _agreed(store, key, "remote_id", said)) == job


def _agreed(store: ArtifactStore, key: str, name: str, said: dict[str, Any]) -> str:
    """What is written under a name once this was said: it, or what somebody else has said.

    Where the backend keeps nobody out, several may write one after the other. Then the last one
    counts, for all of them, and whoever reads it is told to look again.
    """
    safe = keeps_others_out(store)
    with suppress(KeyTaken):
        store.put(key, [_dump(said if safe else {**said, UNSURE: True}).encode()], exclusive=True)
    return _settled(store, key, name) or said[name]


def _settled(store: ArtifactStore, key: str, name: str) -> str | None:
    """What is written under a name, and stays; None if nothing is."""
    said = _said(store, key, name)
    if said is not None and UNSURE in said:
        time.sleep(MOMENT)
        said = _said(store, key, name)
    return None if said is None else said[name]


def _checked(store: ArtifactStore, key: str, run: str) -> str:
    if PATTERN.fullmatch(run):
        return run
    raise CorruptArtifact(
        f"{key} in {store.path} cannot be read: {run!r} is no id of a run.",
        hint="Delete that file, and start the job once more.",
    )


def _said(store: ArtifactStore, key: str, name: str) -> dict[str, Any] | None:
    """What an object says, which anybody may have written, and under a name for certain; None if
    there is none."""
    try:
        said = json.loads(bytes(store.get(key)))
        return {**said, name: str(said[name])}
    except NoSuchKey:
        return None
    except MALFORMED as error:
        raise CorruptArtifact(
            f"{key} in {store.path} cannot be read: {error}.",
            hint="Delete that file, and start the job once more.",
        ) from error
