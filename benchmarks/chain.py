"""Chains: each step takes the result of the one before. Per step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pairs import alternate
from process import fresh
from row import Goal, Row, counted, each, timed
from runs import FILES, sides

COMPUTED = Goal(most=0.3, times=8)
CACHED = Goal(most=0.1)


def rows(folder: Path, rounds: int, lengths: Sequence[int]) -> Iterator[Row]:
    for length in lengths:
        taken = alternate(sides("chain", length, length), fresh(folder, rounds))
        computed, written, found, read = (each(costs, length) for costs in taken.values())
        name = f"chain of {length:,}"
        yield timed(f"{name}, per step", computed, FILES, written, COMPUTED)
        yield timed(f"{name}, cached, per step", found, FILES, read, CACHED)
        yield counted(f"{name}, cached", "files", [cost.files for cost in found], Goal(most=2))
