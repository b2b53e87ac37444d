"""Prints: a step that prints many lines, beside the same loop printing into a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pairs import Cost, alternate
from process import fresh, script
from row import Goal, Row, timed

GOAL = Goal(times=1.5)


def rows(folder: Path, rounds: int, lines: int) -> Iterator[Row]:
    sides = {side: partial(_said, side, lines) for side in ("step", "file")}
    step, file = alternate(sides, fresh(folder, rounds)).values()
    yield timed(f"{lines:,} prints in a step", step, "into a file", file, GOAL, unit="s")


def _said(side: str, lines: int, place: Path) -> Cost:
    return script("printing.py", place, side, lines).reported
