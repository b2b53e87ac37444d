"""Compiling for Kubeflow: the file of a pipeline, beside what kfp's own compiler takes for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from pairs import Cost, alternate
from process import fresh, script
from row import NONE, Goal, Row, timed

GOALS: Final = {300: Goal(most=60, times=0.1), 1000: Goal(most=200, times=0.1)}


def rows(folder: Path, rounds: int, lengths: Sequence[int]) -> Iterator[Row]:
    for length in lengths:
        sides = {whose: partial(_cost, whose, length) for whose in ("ours", "theirs")}
        ours, theirs = alternate(sides, fresh(folder, rounds)).values()
        goal = GOALS.get(length, NONE)
        yield timed(f"compile {length:,} steps for Kubeflow", ours, "with kfp", theirs, goal)


def _cost(whose: str, length: int, place: Path) -> Cost:
    return script("compiled.py", place, whose, length).reported
