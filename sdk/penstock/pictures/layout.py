"""The layout: where boxes and lines are. What is in the boxes is not known here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from penstock.pictures.part import GAP, Part
from penstock.pictures.ranks import Link
from penstock.pictures.rows import LONG
from penstock.pictures.shapes import Box, Layout, Point

MARGIN: Final = 16
"""Pixels around everything."""


def placed(sizes: Sequence[Point], links: Sequence[Link]) -> Layout:
    """A layout of boxes that are at least so wide and exactly so high."""
    whole = Layout([Box(0, 0, 0, 0)] * len(sizes))
    shelf = _Shelf()
    alone = max(
        (sizes[each[0]][0] for each, _ in _connected(len(sizes), links) if not each[1:]), default=0
    )
    for members, inner in _connected(len(sizes), links):
        single = not members[1:]
        part = Part([(alone, sizes[i][1]) if single else sizes[i] for i in members], inner).layout()
        x, y = shelf.place(part)
        for box, at in zip(members, part.boxes, strict=True):
            whole.boxes[box] = at._replace(x=at.x + x, y=at.y + y)
        whole.lines += [line.moved(x, y) for line in part.lines]
        whole.omitted += part.omitted
    whole.width, whole.height = shelf.width + MARGIN, shelf.height + MARGIN
    return whole


class _Shelf:
    """Pictures beside each other, and below when there is no more room."""

    def __init__(self) -> None:
        self._x = self._y = float(MARGIN)
        self.width = self.height = float(MARGIN)

    def place(self, part: Layout) -> Point:
        if self._x > MARGIN and self._x + part.width > LONG + MARGIN:
            self._x, self._y = float(MARGIN), self.height + GAP
        at = self._x, self._y
        self._x += part.width + GAP
        self.width = max(self.width, at[0] + part.width)
        self.height = max(self.height, at[1] + part.height)
        return at


def _connected(count: int, links: Sequence[Link]) -> list[tuple[list[int], list[Link]]]:
    """Boxes that hang together, and their links, numbered anew; those without any link last."""
    beside: list[list[int]] = [[] for _ in range(count)]
    for up, down, _ in links:
        beside[up].append(down)
        beside[down].append(up)
    part = [-1] * count
    members: list[list[int]] = []
    for first in range(count):
        if part[first] < 0:
            members.append(sorted(_reached(first, beside, part, len(members))))
    number = {box: i for boxes in members for i, box in enumerate(boxes)}
    inner: list[list[Link]] = [[] for _ in members]
    for up, down, silent in links:
        inner[part[up]].append(Link(number[up], number[down], silent))
    return sorted(zip(members, inner, strict=True), key=lambda each: not each[1])


def _reached(first: int, beside: list[list[int]], part: list[int], number: int) -> Iterator[int]:
    part[first] = number
    waiting = [first]
    while waiting:
        box = waiting.pop()
        yield box
        for near in beside[box]:
            if part[near] < 0:
                part[near] = number
                waiting.append(near)
