"""Small values: thousands of them, each made by a step of its own, all of them taken by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pairs import alternate
from process import lasting
from row import Goal, Row, each, timed
from runs import FILES, sides

EACH: Final = Goal(most=0.4)


def rows(folder: Path, rounds: int, count: int) -> Iterator[Row]:
    """Each run in a process of its own. The bare file operations write records as long as ours."""
    both = sides("small-values", count, count + 1)
    computed, written, *_ = alternate(both, lasting(folder, rounds)).values()
    name = f"{count:,} values of 1 KB through a pipeline, each"
    ours, bare = each(computed, count), each(written, count)
    yield timed(name, ours, FILES, bare, EACH, clock="wall")
