"""Memory: what there is beside a value while it is kept, and what is touched of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from moved import KINDS, OURS
from pairs import Spread
from process import fresh, script
from row import Goal, Row, counted
from things import scaled

BEYOND: Final = Goal(most=5)
COLUMN: Final = Goal(times=1.25)


def array_rows(folder: Path, size: int) -> Iterator[Row]:
    """Anonymous memory in percent of the value."""
    name = f"array of {size:,} MB, memory beside it"
    share = 100 * _bytes(folder, "array", size) / (size * 10**6)
    yield counted(name, "%", [share], BEYOND)


def column_rows(folder: Path, size: int) -> Iterator[Row]:
    """One column of a frame that was just written."""
    rows = scaled(KINDS["frame"].most, size)
    column = rows * 8 / 1e6
    ours = _bytes(folder, "column", size) / 1e6
    figure, baseline, ratio = map(_one, (ours, column, ours / column))
    name = f"frame of {rows:,} × 8, one column read"
    yield Row(name, "MB", figure, COLUMN, "the column", baseline, ratio)


def _bytes(folder: Path, what: str, size: int) -> int:
    (done,) = [script("footprint.py", place, what, OURS, size) for place in fresh(folder, 1)]
    found: int = json.loads(done.out)
    return found


def _one(figure: float) -> Spread:
    return Spread.of([figure])
