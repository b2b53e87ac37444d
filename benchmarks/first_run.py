"""The first run: hello, two steps, as a whole process in an empty folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pairs import alternate
from process import fresh, script
from row import Goal, Row, counted, timed


def rows(folder: Path, rounds: int) -> Iterator[Row]:
    # Once for what is compiled the first time, and for the user's key.
    (lines,) = [_printed(place) for place in fresh(folder, 1)]
    sides = {
        "ours": lambda place: script("two_steps.py", place).cost,
        "calls": lambda place: script("two_calls.py", place).cost,
    }
    taken = alternate(sides, fresh(folder, rounds))
    yield timed(
        "hello, whole process", taken["ours"], "plain calls", taken["calls"], Goal(most=300)
    )
    yield counted("lines that hello prints", "lines", [len(lines)], Goal(most=4))


def _printed(place: Path) -> list[str]:
    lines = script("two_steps.py", place).err.splitlines()
    if not (place / ".penstock").is_dir():
        raise RuntimeError(f"{place} lies in another project: set TMPDIR to a folder outside.")
    return lines
