"""Tables: rows as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from pairs import Spread
from row import Row

HEAD = ("measure", "penstock", "baseline", "", "ratio", "goal", "met")
SAID = HEAD.index("goal")
RIGHT = frozenset({"penstock", "baseline", "ratio"})


def text(rows: Sequence[Row]) -> str:
    """One line for each row, in columns."""
    lines = [HEAD, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in RIGHT else cell.ljust(width)
            for name, cell, width in zip(HEAD, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def markdown(rows: Sequence[Row]) -> str:
    """The same for a README, without the goals."""
    lines = [HEAD, tuple("--:" if name in RIGHT else ":--" for name in HEAD), *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line[:SAID])} |" for line in lines)


def cells(row: Row) -> tuple[str, ...]:
    """What a row says, in the order of `HEAD`."""
    return (
        row.name,
        f"{_spread(row.figure)} {row.unit}",
        f"{_figure(row.baseline.median)} {row.unit}" if row.baseline else "",
        row.against,
        f"{_spread(row.ratio)} ×" if row.ratio else "",
        _goal(row),
        {True: "yes", False: "no", None: ""}[row.met],
    )


def _goal(row: Row) -> str:
    most, times = row.goal.most, row.goal.times
    wanted = [f"{_figure(most)} {row.unit}"] if most is not None else []
    wanted += [f"{_figure(times)} ×"] if times is not None else []
    return "≤ " + ", ".join(wanted) if wanted else ""


def _spread(spread: Spread) -> str:
    middle = _figure(spread.median)
    if spread.low == spread.high:
        return middle
    return f"{middle} ({_figure(spread.low)}–{_figure(spread.high)})"


def _figure(value: float) -> str:
    """Three digits that count."""
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
