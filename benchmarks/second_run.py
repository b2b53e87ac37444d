"""The second run in a process: its two steps computed, or found in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pairs import alternate
from process import fresh
from row import Goal, Row, timed
from runs import FILES, sides

OTHER = 4
"""An argument that the first run did not have."""


def rows(folder: Path, rounds: int) -> Iterator[Row]:
    taken = alternate(sides("second", OTHER, 2), fresh(folder, rounds))
    computed, written, found, read = taken.values()
    yield timed("second run(), computed", computed, FILES, written, Goal(most=3))
    yield timed("second run(), cached", found, FILES, read, Goal(most=3))
