"""Tables: rows as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Container, Sequence

from pairs import Spread
from row import Row

HEAD = ("measure", "penstock", "baseline", "", "ratio", "goal", "met")
SAID = HEAD.index("goal")
RIGHT = frozenset({"penstock", "baseline", "ratio"})


def text(rows: Sequence[Row]) -> str:
    """One line for each row, in columns."""
    return columns(HEAD, [cells(row) for row in rows], RIGHT)


def columns(head: Sequence[str], lines: Sequence[Sequence[str]], right: Container[str]) -> str:
    """Lines below their head; the columns of these names stand to the right."""
    every = [head, *lines]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(head, line, widths, strict=True)
        ).rstrip()
        for line in every
    )


def markdown(rows: Sequence[Row]) -> str:
    """The same for a README, without the goals."""
    lines = [HEAD, tuple("--:" if name in RIGHT else ":--" for name in HEAD), *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line[:SAID])} |" for line in lines)


def cells(row: Row) -> tuple[str, ...]:
    """What a row says, in the order of `HEAD`."""
    return (
        row.name,
        f"{spread(row.figure)} {row.unit}",
        f"{figure(row.baseline.median)} {row.unit}" if row.baseline else "",
        row.against,
        f"{spread(row.ratio)} ×" if row.ratio else "",
        _goal(row),
        {True: "yes", False: "no", None: ""}[row.met],
    )


def _goal(row: Row) -> str:
    most, times = row.goal.most, row.goal.times
    wanted = [f"{figure(most)} {row.unit}"] if most is not None else []
    wanted += [f"{figure(times)} ×"] if times is not None else []
    return "≤ " + ", ".join(wanted) if wanted else ""


def spread(found: Spread) -> str:
    """The middle, and the quartiles in brackets if they differ."""
    middle = figure(found.median)
    if found.low == found.high:
        return middle
    return f"{middle} ({figure(found.low)}–{figure(found.high)})"


def figure(value: float) -> str:
    """Three digits that count."""
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
