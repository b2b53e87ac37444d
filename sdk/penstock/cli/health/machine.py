"""What a machine has for runs: room on its disks, and the time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import Final

from penstock.artifacts.store import ArtifactStore
from penstock.cli.health.observation import Observation
from penstock.errors import PenstockError
from penstock.quantities import duration, size

LITTLE: Final = 1 << 30
"""Bytes; with less somebody should know."""

FEW: Final = 10_000
"""So many more files, likewise. A run makes two or three for each step."""

APART: Final = 60.0
"""Seconds by which clocks may differ before somebody should know."""


def room(folders: Iterable[str]) -> Iterator[Observation]:
    """What is free where these folders are, or will be, each disk once."""
    seen = set()
    for folder in folders:
        there = _there(folder)
        device = os.stat(there).st_dev
        if device not in seen:
            seen.add(device)
            yield _room(there, folder)


def clock(store: ArtifactStore) -> Observation:
    """This machine's, beside that of the place where the artifacts are."""
    whose = f"the artifact store {store.name}"
    before = time.time()
    try:
        there = store.clock()
    except PenstockError as error:
        return Observation("clock", f"{whose} cannot be asked: {error.message}", mark="note")
    apart = difference(there, before, time.time())
    if abs(apart) <= APART:
        return Observation("clock", f"as that of {whose}")
    way = "ahead of" if apart > 0 else "behind"
    said = f"this machine's is {duration(abs(apart))} {way} that of {whose}."
    return Observation("clock", said, "To set it: timedatectl set-ntp true", "note")


def difference(there: float, before: float, after: float) -> float:
    """Seconds by which this machine's clock is ahead. The other was asked between two moments."""
    if before <= there <= after:
        return 0.0
    return before - there if there < before else after - there


def _room(there: str, folder: str) -> Observation:
    disk = os.statvfs(there)
    free = disk.f_bavail * disk.f_frsize
    said = f"{size(free)} of {size(disk.f_blocks * disk.f_frsize)} at {folder}"
    if disk.f_files and disk.f_favail < FEW:  # some file systems do not count them
        said += f", and of files {disk.f_favail:,} more"
        return Observation("free space", said, "Make room.", "note")
    if free < LITTLE:
        hint = "To see what nobody needs any more: penstock gc"
        return Observation("free space", f"{said}.", hint, "note")
    return Observation("free space", said)


def _there(folder: str) -> str:
    """The folder, or the next one above that exists."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder
