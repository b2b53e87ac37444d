"""One connected picture: columns and levels become places, and long ones are broken into rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from penstock.pictures.columns import arranged, neighbours
from penstock.pictures.levels import levelled
from penstock.pictures.ranks import Link, ranked
from penstock.pictures.rows import broken
from penstock.pictures.shapes import Box, Layout, Line, Point

GAP: Final = 16
"""Pixels between boxes, one below the other."""

TIGHT: Final = 9
"""Pixels between a line and what it passes."""

NEAR: Final = 34
FAR: Final = 90
"""Pixels between two columns: at least, and at most where lines go far up or down."""

TURN: Final = 14
"""Pixels between a row and the lines that go on in the next one."""

LANE: Final = 8
"""Pixels between those lines."""


class Part:
    """Makes the layout of one connected picture, its top left corner at 0, 0."""

    def __init__(self, sizes: Sequence[Point], links: Sequence[Link]) -> None:
        self._sizes = sizes
        arrangement = arranged(ranked(len(sizes), links))
        self._columns = arrangement.columns
        self._widths = [max(map(self._width, column)) for column in self._columns]
        apart = [self._apart(column) for column in self._columns]
        beside = neighbours(self._columns, arrangement.pieces)
        self._levels = levelled(self._columns, apart, *beside, len(sizes))
        self._between = self._by_column(arrangement.pieces)
        self._silent = {piece.down for piece in arrangement.pieces}.difference(
            piece.down for piece in arrangement.pieces if not piece.silent
        )
        self._gaps = [self._gap(pieces) for pieces in self._between]
        self._at: dict[int, Point] = {}  # the left end of each item, and its middle
        self._end: dict[int, float] = {}  # the right end
        self._layout = Layout([Box(0, 0, 0, 0)] * len(sizes), omitted=arrangement.omitted)

    def layout(self) -> Layout:
        """Everything in its place."""
        steps = [width + gap for width, gap in zip(self._widths, self._gaps, strict=True)]
        rows = broken(steps, [len(pieces) for pieces in self._between])
        lanes = [len({piece.up for piece in self._between[row[-1]]}) for row in rows[:-1]]
        left = TURN + LANE * max(lanes) if lanes else 0
        ends = []
        top = 0.0
        for row, count in zip(rows, [*lanes, 0], strict=True):
            ends.append(self._place_row(row, left, top))
            top = ends[-1][1] + 2 * TURN + LANE * count
        for row, (right, bottom) in zip(rows, ends, strict=True):
            self._draw_row(row)
            if row is not rows[-1]:
                self._turn(self._between[row[-1]], left, right, bottom)
        self._layout.width = max(right for right, _ in ends) + left
        self._layout.height = ends[-1][1]
        return self._layout

    def _place_row(self, row: range, left: float, top: float) -> Point:
        """Place the items of these columns. Returns where the row ends, right and below."""
        items = [item for column in row for item in self._columns[column]]
        heights = [self._height(item) / 2 for item in items]
        levels = [self._levels[item] for item in items]
        down = top - min(level - half for level, half in zip(levels, heights, strict=True))
        x = left
        for column in row:
            width = self._widths[column]
            for item in self._columns[column]:
                middle = round(self._levels[item] + down)
                self._at[item] = x, middle
                self._end[item] = x + width
                if item < len(self._sizes):
                    height = self._height(item)
                    self._layout.boxes[item] = Box(x, middle - height / 2, width, height)
            x += width + self._gaps[column]
        bottom = max(level + half for level, half in zip(levels, heights, strict=True))
        return x - self._gaps[row[-1]], round(bottom + down)

    def _draw_row(self, row: range) -> None:
        for item in (item for column in row for item in self._columns[column]):
            if item >= len(self._sizes):
                (x, y), silent = self._at[item], item in self._silent
                self._layout.lines.append(Line(((x, y), (self._end[item], y)), silent, False))
        for column in row[:-1]:
            for up, down, silent in self._between[column]:
                points = (self._end[up], self._at[up][1]), self._at[down]
                self._layout.lines.append(Line(points, silent, down < len(self._sizes)))

    def _turn(self, pieces: Sequence[Link], left: float, right: float, bottom: float) -> None:
        """Lines from the end of a row to the beginning of the next; none crosses another there."""
        sources = sorted({piece.up for piece in pieces}, key=lambda item: -self._at[item][1])
        for up, down, silent in pieces:
            lane = sources.index(up)
            far = right + TURN + LANE * lane
            near = left - TURN - LANE * (len(sources) - 1 - lane)
            between = bottom + TURN + LANE * lane
            start, goal = self._at[up][1], self._at[down]
            points = (
                (self._end[up], start), (far, start), (far, between), (near, between),
                (near, goal[1]), goal,
            )  # fmt: skip
            self._layout.lines.append(Line(points, silent, down < len(self._sizes)))

    def _apart(self, column: Sequence[int]) -> list[float]:
        """The least distance of each middle from the one above it."""
        distances = [0.0]
        for above, below in pairwise(column):
            both = above < len(self._sizes) and below < len(self._sizes)
            heights = self._height(above) + self._height(below)
            distances.append(heights / 2 + (GAP if both else TIGHT))
        return distances

    def _gap(self, pieces: Sequence[Link]) -> float:
        steepest = max(
            (abs(self._levels[up] - self._levels[down]) for up, down, _ in pieces), default=0
        )
        return round(min(NEAR + steepest * 0.15, FAR))

    def _by_column(self, pieces: Sequence[Link]) -> list[list[Link]]:
        """The pieces of lines that begin in each column."""
        rank = {item: i for i, column in enumerate(self._columns) for item in column}
        found: list[list[Link]] = [[] for _ in self._columns]
        for piece in pieces:
            found[rank[piece.up]].append(piece)
        return found

    def _width(self, item: int) -> float:
        return self._sizes[item][0] if item < len(self._sizes) else 0

    def _height(self, item: int) -> float:
        return self._sizes[item][1] if item < len(self._sizes) else 0
