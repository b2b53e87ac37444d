"""About how large a store is, known without a look at it after each run.

What was measured, and what runs have written since, is noted in the user's cache folder, outside of
the store. Once both together pass the limit, the store is measured, at most once a day; only what
was measured is ever said.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from penstock.artifacts.store import ArtifactStore
from penstock.digest import digest
from penstock.errors import StoreError
from penstock.model.resources import size_bytes
from penstock.model.user import cache_folder
from penstock.quantities import size

_dump: Final = json.JSONEncoder().encode

OFTEN: Final = 86_400.0
"""Seconds between two measurements."""

_MALFORMED: Final = (OSError, ValueError, TypeError, RecursionError)


@dataclass
class Estimate:
    """What is noted of one store."""

    measured: int = 0
    """Bytes of all objects."""
    at: float = 0.0
    """When they were counted. Seconds since 1970."""
    written: int = 0
    """Bytes that runs of this user have written since."""


def said(store: ArtifactStore, written: int) -> str:
    """What the end of a run says of the store after it has written so many bytes; mostly
    nothing."""
    limit = size_bytes(store.warn_above) or 0
    file = _file(store)
    known = _read(file)
    known.written += written
    now = time.time()
    if known.measured + known.written > limit and not 0 <= now - known.at < OFTEN:
        with suppress(StoreError):  # then at the end of the next run
            known = Estimate(_size(store), now)
            written = 1
    if written:
        _write(file, known)
    return f"store {size(known.measured)}, see penstock gc" if known.measured > limit else ""


def measured(store: ArtifactStore, found: int) -> None:
    """Note how many bytes the objects have, which somebody has just counted."""
    _write(_file(store), Estimate(found, time.time()))


def _size(store: ArtifactStore) -> int:
    folders = store.keys("objects/")
    return sum(entry.size for folder in folders for entry in store.keys(folder.key))


def _file(store: ArtifactStore) -> Path | None:
    folder = cache_folder()
    return folder / "stores" / digest("store/1", store.flavor, store.path)[:32] if folder else None


def _read(file: Path | None) -> Estimate:
    if file is not None:
        with suppress(*_MALFORMED):  # none yet, or somebody's own
            known = Estimate(**json.loads(file.read_text("utf-8")))
            if all(type(value) in (int, float) for value in asdict(known).values()):
                return known
    return Estimate()


def _write(file: Path | None, known: Estimate) -> None:
    """Two runs that end at once may lose what one has written: it is an estimate."""
    if file is None:
        return
    temp = file.with_name(f"{file.name}-{os.urandom(4).hex()}")
    with suppress(OSError):  # a full disk, or no home: it is known in the next run, or never
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            temp.write_text(_dump(asdict(known)), "utf-8")
            os.replace(temp, file)
        finally:
            temp.unlink(missing_ok=True)
