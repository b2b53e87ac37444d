"""Pins: runs that no cleaning takes away."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Final

from penstock.artifacts.store import ArtifactStore
from penstock.errors import NoSuchKey
from penstock.runtime import provenance

_dump: Final = json.JSONEncoder().encode

_PIN: Final = "runs/{}/pin"


def pin(store: ArtifactStore, run: str) -> None:
    """Keep a run, until it is unpinned."""
    said = {"user": provenance.user(), "host": provenance.host(), "time": time.time()}
    store.put(_PIN.format(run), [_dump(said).encode()])


def unpin(store: ArtifactStore, run: str) -> None:
    """Treat it like any other run again."""
    try:
        store.delete(_PIN.format(run))
    except NoSuchKey:
        return


def is_pinned(store: ArtifactStore, run: str) -> bool:
    """Whether somebody has pinned it; the file is what counts, not what is in it."""
    return bool(pinned(store, [run]))


def pinned(store: ArtifactStore, runs: Iterable[str]) -> set[str]:
    """Those of these runs that are."""
    keys = {_PIN.format(run): run for run in runs}
    return {keys[key] for key in store.stat_all(keys)}
