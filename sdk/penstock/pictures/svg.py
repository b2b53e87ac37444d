"""The picture itself: one SVG element, without scripts and without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from penstock.digest import digest
from penstock.pictures.card import Card
from penstock.pictures.folding import folded
from penstock.pictures.layout import placed
from penstock.pictures.lettering import escaped
from penstock.pictures.look import look
from penstock.pictures.node import Edge, Node
from penstock.pictures.shapes import Box, Layout, Line
from penstock.pictures.sheet import PICTURE, scoped

PLAIN: Final = 34
TALL: Final = 44
DECK: Final = 8
"""Pixels: the height of a box with one line, with two, and of what looks out below a deck."""

TOLD: Final = 100
"""Boxes that the description names."""


def drawn(title: str, nodes: Sequence[Node], edges: Iterable[Edge]) -> str:
    """SVG of the steps, from left to right. Equal input gives equal text."""
    cards, links = folded(nodes, edges)
    layout = placed([_size(card) for card in cards], links)
    body = "\n".join(
        [
            f'<rect class="paper" width="{_n(layout.width)}" height="{_n(layout.height)}" rx="8"/>',
            *_lines(layout.lines),
            *(_card(card, box) for card, box in zip(cards, layout.boxes, strict=True)),
        ]
    )
    named, described = escaped(title), escaped(_described(nodes, cards, layout))
    scope = f"penstock-{digest('picture', named, described, body)[:12]}"
    width, height = _n(layout.width), _n(layout.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{scope}" role="img" '
        f'aria-label="{named}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">\n'
        f"<title>{named}</title>\n<desc>{described}</desc>\n"
        f"<style>{scoped(f'.{scope}', PICTURE)}</style>\n{body}\n</svg>\n"
    )


def _size(card: Card) -> tuple[float, float]:
    height = TALL if card.status else PLAIN
    return card.width, height + (2 * DECK if card.many else 0)


def _card(card: Card, box: Box) -> str:
    """One box. Below many equal ones the edges of a deck look out."""
    seen = look(card.status) if card.status else None
    x, width = box.x, box.width
    height = TALL if seen else PLAIN
    y = box.middle - height / 2
    tone = f" {seen.tone}" if seen else ""
    parts = [f'<g class="card{tone}"><title>{escaped(card.tooltip)}</title>']
    for depth in (8, 4) if card.many else ():
        parts.append(_rect(x + depth, y + depth, width - 2 * depth, height, "under"))
    parts.append(_rect(x, y, width, height, "edge dash" if card.status == "pending" else "edge"))
    if seen is None:
        parts.append(f'<text x="{_n(x + 14)}" y="{_n(y + 21.5)}">{escaped(card.label)}</text>')
    else:
        middle = _n(y + height / 2)
        parts.append(f'<g transform="translate({_n(x + 18)} {middle})">{seen.mark}</g>')
        parts.append(f'<text x="{_n(x + 34)}" y="{_n(y + 18.5)}">{escaped(card.label)}</text>')
        parts.append(
            f'<text class="line" x="{_n(x + 34)}" y="{_n(y + 34)}">{escaped(card.line)}</text>'
        )
    return "".join([*parts, "</g>"])


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
        'rx="7"/>'
    )


def _lines(lines: Sequence[Line]) -> Iterator[str]:
    """All lines as one path, those that hand nothing on as another, and the heads of arrows."""
    for kind, silent in (("wire", False), ("wire dash", True)):
        if paths := [_path(line) for line in lines if line.silent is silent]:
            yield f'<path class="{kind}" d="{"".join(paths)}"/>'
    tips = dict.fromkeys(line.points[-1] for line in lines if line.ends)
    if tips:
        heads = "".join(f"M{_n(x)} {_n(y)}l-7-3.6v7.2z" for x, y in tips)
        yield f'<path class="tip" d="{heads}"/>'


def _path(line: Line) -> str:
    (x, y), (right, below) = line.points[0], line.points[-1]
    if len(line.points) > 2:
        return _corners(line)
    end = right - 5 if line.ends else right
    if y == below:
        return f"M{_n(x)} {_n(y)}H{_n(end)}"
    bend = (x + end) / 2
    return f"M{_n(x)} {_n(y)}C{_n(bend)} {_n(y)} {_n(bend)} {_n(below)} {_n(end)} {_n(below)}"


def _corners(line: Line) -> str:
    """A line along the edges of the picture, its corners round."""
    (x, y), (far, _), (_, between), (near, _), (_, goal), (end, _) = line.points
    end -= 5 if line.ends else 0
    r = 6  # how round the corners are
    return (
        f"M{_n(x)} {_n(y)}H{_n(far - r)}q{r} 0 {r} {r}V{_n(between - r)}q0 {r}-{r} {r}"
        f"H{_n(near + r)}q-{r} 0-{r} {r}V{_n(goal - r)}q0 {r} {r} {r}H{_n(end)}"
    )


def _described(nodes: Sequence[Node], cards: Sequence[Card], layout: Layout) -> str:
    """The picture in words, for who does not see it."""
    said = [f"{len(nodes):,} {'step' if len(nodes) == 1 else 'steps'} from left to right."]
    said += [f"{card.summary}." for card in cards[:TOLD]]
    if len(cards) > TOLD:
        said.append(f"And {len(cards) - TOLD:,} more.")
    if layout.omitted:
        said.append(f"{layout.omitted:,} lines are left out, as they follow from others.")
    return " ".join(said)


def _n(value: float) -> str:
    """A number, short."""
    return f"{value:.1f}".removesuffix(".0")
