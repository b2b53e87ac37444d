"""Fan-outs: many steps that need nothing of each other, and one that takes all their results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pairs import Cost, alternate
from process import fresh
from row import NONE, Goal, Row, counted, each, timed
from runs import FILES, sides

CACHED: Final = Goal(most=0.1)
TOTAL: Final = Goal(most=4)
MEMORY: Final = Goal(most=300)
GROWTH: Final = Goal(times=1.3)


def rows(folder: Path, rounds: int, narrow: int, wide: int) -> Iterator[Row]:
    both = {**sides("fan-out", narrow, narrow + 1), **sides("fan-out", wide, wide + 1)}
    taken = list(alternate(both, fresh(folder, rounds)).values())
    yield from _rows(narrow, taken[:4], NONE, NONE)
    yield from _rows(wide, taken[4:], TOTAL, MEMORY)
    few, many = each(taken[0], narrow + 1), each(taken[4], wide + 1)
    yield timed(f"fan-out of {wide:,}, per step", many, f"of {narrow:,}", few, GROWTH)


def _rows(width: int, taken: Sequence[list[Cost]], total: Goal, memory: Goal) -> Iterator[Row]:
    computed, written, found, read = taken
    name = f"fan-out of {width:,}"
    yield timed(f"{name} and join", computed, FILES, written, total, unit="s")
    yield counted(f"{name}, peak memory", "MB", [cost.peak / 1e6 for cost in computed], memory)
    cached, bare = each(found, width + 1), each(read, width + 1)
    yield timed(f"{name}, cached, per step", cached, FILES, bare, CACHED)
    yield counted(f"{name}, cached", "files", [cost.files for cost in found], Goal(most=2))
