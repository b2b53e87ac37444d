"""Boxes and lines: a picture in numbers, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

Point = tuple[float, float]
"""Pixels from the left and from the top."""


class Box(NamedTuple):
    """A place in the picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """How high lines come in and go out."""
        return self.y + self.height / 2


class Line(NamedTuple):
    """A piece of a line between two boxes."""

    points: tuple[Point, ...]
    """Two: a curve to the right. Six: corners of the way into the next row."""
    silent: bool
    ends: bool
    """Whether it comes to a box here."""

    def moved(self, x: float, y: float) -> Line:
        """The same somewhere else."""
        return self._replace(points=tuple((px + x, py + y) for px, py in self.points))


@dataclass
class Layout:
    """A picture in numbers."""

    boxes: list[Box]
    """In the order in which they were asked for."""
    lines: list[Line] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0
    omitted: int = 0
    """Lines left out, as they follow from others."""
