"""A map over a list that a step makes: all of it, and then with one item that has changed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from pairs import alternate
from process import fresh
from row import NONE, Goal, Row, counted, timed
from runs import FILES, bare, ours

CHANGED: Final = Goal(most=3)
MEMORY: Final = Goal(most=300)


def rows(folder: Path, rounds: int, width: int) -> Iterator[Row]:
    name = f"map-{width}"
    sides = {
        "computed": partial(ours, name, "map", width),
        "written": partial(bare, name, "write", width + 3),
        "changed": partial(ours, name, "map-changed", width),
        "read": partial(bare, name, "read", width + 3),
    }
    computed, written, changed, read = alternate(sides, fresh(folder, rounds)).values()
    what = f"map of {width:,} that a step made"
    yield timed(what, computed, FILES, written, NONE, unit="s")
    yield timed(f"{what}, one changed", changed, FILES, read, CHANGED, unit="s")
    peaks = [cost.peak / 1e6 for cost in changed]
    yield counted(f"{what}, one changed, peak memory", "MB", peaks, MEMORY)
    yield counted(f"{what}, one changed, written", "files", [cost.files for cost in changed])
