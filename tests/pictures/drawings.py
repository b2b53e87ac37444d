"""Layouts and what may be wrong with them, and SVG taken apart."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

from penstock.pictures.ranks import Link
from penstock.pictures.shapes import Box, Layout, Line

SVG = "{http://www.w3.org/2000/svg}"


def faults(layout: Layout, links: Sequence[Link]) -> list[str]:
    """What is wrong with a layout."""
    return [
        *_outside(layout),
        *(f"{a} and {b} overlap" for a, b in combinations(layout.boxes, 2) if _meet(a, b)),
        *(f"{line} does not go right" for line in layout.lines if not _goes_right(line)),
        *_through(layout),
        *_lost(layout, links),
    ]


def _outside(layout: Layout) -> Iterator[str]:
    corners = [(box.x, box.y) for box in layout.boxes]
    corners += [(box.x + box.width, box.y + box.height) for box in layout.boxes]
    for x, y in [*corners, *(point for line in layout.lines for point in line.points)]:
        if not (0 < x < layout.width and 0 < y < layout.height):
            yield f"{x}, {y} is outside"


def _meet(a: Box, b: Box) -> bool:
    """Whether the insides have a point in common."""
    return (
        a.x < b.x + b.width and b.x < a.x + a.width
        and a.y < b.y + b.height and b.y < a.y + a.height
    )  # fmt: skip


def _goes_right(line: Line) -> bool:
    """To the right, or out to the right and in from the left, below."""
    if len(line.points) == 2:
        return line.points[0][0] < line.points[1][0]
    start, far, _, _, near, goal = line.points
    return start[0] < far[0] and near[0] < goal[0] and start[1] < goal[1]


def _through(layout: Layout) -> Iterator[str]:
    """Lines that touch a box elsewhere than where they begin and end."""
    for line in layout.lines:
        for (x, y), (right, below) in pairwise(line.points):
            around = Box(min(x, right), min(y, below), abs(right - x), abs(below - y))
            # A straight line has no inside: it is given one, as thin as can be.
            thick = around._replace(
                y=around.y - 0.1, height=around.height + 0.2, width=max(around.width, 0.1)
            )
            yield from (f"{line} goes through {box}" for box in layout.boxes if _meet(thick, box))


def _lost(layout: Layout, links: Sequence[Link]) -> Iterator[str]:
    """Boxes from which the lines lead elsewhere than to those that wait for them."""
    onward = defaultdict(set)
    for line in layout.lines:
        onward[line.points[0]].add(line.points[-1])
    box_at = {(box.x, box.middle): i for i, box in enumerate(layout.boxes)}
    for i, box in enumerate(layout.boxes):
        found, waiting = set(), [(box.x + box.width, box.middle)]
        while waiting:
            for point in onward[waiting.pop()]:
                if point in box_at:
                    found.add(box_at[point])
                else:
                    waiting.append(point)
        if found != {link.down for link in links if link.up == i}:
            yield f"from box {i} one gets to {found}"


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def texts(svg: str) -> list[str]:
    """What is written in the picture."""
    return [item.text or "" for item in parsed(svg).iter(f"{SVG}text")]


def titles(svg: str) -> list[str]:
    """What is told about each box."""
    return [item.text or "" for item in parsed(svg).iterfind(f".//{SVG}g/{SVG}title")]


def elements(markup: str) -> set[str]:
    """The names of the elements that a browser finds."""
    return {name.lower() for name in re.findall(r"<([A-Za-z!/][^\s>/]*)", markup)}


def contrast(one: str, other: str) -> float:
    """As WCAG counts it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def chain(count: int) -> list[Link]:
    return [Link(i, i + 1) for i in range(count - 1)]


def boxes(count: int, width: float = 100, height: float = 40) -> Iterable[tuple[float, float]]:
    return [(width, height)] * count
