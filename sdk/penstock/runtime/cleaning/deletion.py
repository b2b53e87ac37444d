"""Deleting a run: its records and logs. What it has stored goes with the next cleaning, unless
somebody else needs it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from penstock.artifacts.store import ArtifactStore, Entry
from penstock.errors import CorruptArtifact, NoSuchKey, NotFound, RunError, listed
from penstock.model.records import Status
from penstock.runtime import tags
from penstock.runtime.cleaning import pins
from penstock.runtime.cleaning.contents import FOLDERS, Contents
from penstock.runtime.elsewhere import jobs
from penstock.runtime.ledger import Ledger
from penstock.runtime.status import run_status


def delete_run(ledger: Ledger, run: str) -> None:
    """Delete a run. Raises `RunError` if it is running or pinned, or if an output is tagged."""
    refuse(ledger, run)
    delete(ledger.store, Contents(ledger.store).of_run(run), run)


def refuse(ledger: Ledger, run: str) -> None:
    """Raise `RunError` for a run that somebody still needs."""
    if _is_running(ledger, run):
        raise RunError(
            f"Run {run} cannot be deleted: it is running.",
            hint=f"Type: penstock run cancel {run}",
        )
    if pins.is_pinned(ledger.store, run):
        raise RunError(
            f"Run {run} cannot be deleted: it is pinned.",
            hint=f"Type: penstock run pin --off {run}",
        )
    if tagged := [tag for tag in tags.all_of(ledger) if tag.run == run]:
        names = (f"{tag.pipeline}/{tag.name} {tag.tag}" for tag in tagged)
        raise RunError(
            f"Run {run} cannot be deleted: outputs of it are tagged: {listed(names)}.",
            hint=f"Type: penstock artifact tag --off {tagged[0].pipeline}/{tagged[0].name} "
            f"{tagged[0].tag}",
        )


def delete(store: ArtifactStore, entries: Sequence[Entry], run: str) -> None:
    """Delete a run's own files, its first record first: without that one it is no run any more,
    whenever this is interrupted."""
    job = _job(store, run)
    for entry in entries:
        with suppress(NoSuchKey):  # somebody else was first
            store.delete(entry.key)
    if job is not None:
        with suppress(NoSuchKey):
            store.delete(jobs.job_key(job))
    for folder in FOLDERS:
        store.delete_all(f"runs/{run}/{folder}/")
    if next(store.keys(f"runs/{run}/"), None) is None:
        store.delete_all(f"runs/{run}/")


def _job(store: ArtifactStore, run: str) -> str | None:
    """The job that is known to be this run."""
    with suppress(CorruptArtifact):
        job = jobs.job_of(store, run)
        if job is not None and jobs.JOB.fullmatch(job) and jobs.known_run(store, job) == run:
            return job
    return None


def _is_running(ledger: Ledger, run: str) -> bool:
    try:
        return run_status(ledger, ledger.run(run)) is Status.RUNNING
    except (CorruptArtifact, NotFound):  # nobody can tell: whoever deletes it knows
        return False
