"""Rows: where a picture that is too long goes on below, like text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LONG: Final = 1000
"""Pixels after which a row ends, if a good place can be found."""

THIN: Final = 3
"""Lines that may go from one row to the next, and one if all would fit into two rows. More would be
a tangle: then one scrolls."""


def broken(widths: Sequence[float], passing: Sequence[int]) -> list[range]:
    """Columns in rows. `widths` are those of columns with the gaps behind them, `passing` says how
    many lines go from each column to the next."""
    total = sum(widths)
    if total <= LONG:
        return [range(len(widths))]
    # Rows of about equal length, rather than a last one with a single box.
    aim = min(LONG, total / -(-total // LONG) + max(widths) / 2)
    thin = THIN if total > 2 * LONG else 1
    rows = []
    start = 0
    while (cut := _cut(widths, [count <= thin for count in passing], start, aim)) < len(widths):
        rows.append(range(start, cut))
        start = cut
    return [*rows, range(start, len(widths))]


def _cut(widths: Sequence[float], good: Sequence[bool], start: int, aim: float) -> int:
    """Where the next row begins: the last good place before `aim`, else the first one after it,
    else nowhere."""
    best, length = 0, 0.0
    left = sum(widths[start:])
    for column in range(start, len(widths) - 1):
        length += widths[column]
        if left - length < aim / 4:  # a row for so little is not worth its turn
            break
        if length > aim and best:
            return best
        if good[column] and length > aim / 3:
            best = column + 1
            if length > aim:
                return best
    return best if best and left > LONG else len(widths)
