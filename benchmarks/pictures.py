"""Pictures: what the layout and the SVG of a tangled graph cost."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pairs import Cost, alternate
from process import fresh, script
from row import Goal, Row, timed

DRAWN = Goal(most=300)


def rows(folder: Path, rounds: int, steps: int) -> Iterator[Row]:
    sides = {what: partial(_cost, what, steps) for what in ("draw", "read")}
    ours, read = alternate(sides, fresh(folder, rounds)).values()
    yield timed(f"picture of {steps:,} steps", ours, "reading it as XML", read, DRAWN)


def _cost(what: str, steps: int, place: Path) -> Cost:
    return script("drawings.py", place, what, steps).reported
