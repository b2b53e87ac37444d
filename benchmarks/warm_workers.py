"""Process workers: steps that need a core each, beside a pool of Python's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from pairs import Cost, alternate
from process import fresh, script
from row import NONE, Goal, Row, timed

STEPS: Final = 8
FULL: Final = Goal(most=4.4)
"""Of steps of a second, on two cores."""


def rows(folder: Path, rounds: int, seconds: float) -> Iterator[Row]:
    sides = {side: partial(_took, side, seconds) for side in ("penstock", "pool")}
    ours, pool = alternate(sides, fresh(folder, rounds)).values()
    name = f"{STEPS} steps of {seconds:.3g} s in 2 processes"
    goal = FULL if seconds == 1 else NONE
    yield timed(name, ours, "multiprocessing.Pool", pool, goal, unit="s", clock="wall")


def _took(side: str, seconds: float, place: Path) -> Cost:
    return script("busy.py", place, side, STEPS, seconds).reported
