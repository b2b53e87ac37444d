"""Ranks: in which column each box stands, so that what waits is right of what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Link(NamedTuple):
    """One box waits for another; both by their place in a list."""

    up: int
    down: int
    silent: bool = False


class Ranked(NamedTuple):
    """Columns, and the links that go to the right."""

    ranks: list[int]
    links: list[Link]
    order: list[int]
    """The boxes, each after all that it waits for."""


def ranked(count: int, links: Sequence[Link]) -> Ranked:
    """Every box as far left as can be. What comes out of a store may have circles: a link that
    would close one is left out."""
    downs: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for link in links:
        downs[link.up].append(link.down)
        waiting[link.down] += 1
    order = [i for i in range(count) if not waiting[i]]
    place = {box: i for i, box in enumerate(order)}
    first_left = 0
    done = 0
    while len(order) < count or done < len(order):
        if done == len(order):  # all that is left waits for itself: the first one may go
            while first_left in place:
                first_left += 1
            place[first_left] = len(order)
            order.append(first_left)
        box = order[done]
        done += 1
        for down in downs[box]:
            waiting[down] -= 1
            if not waiting[down] and down not in place:
                place[down] = len(order)
                order.append(down)
    kept = [link for link in links if place[link.up] < place[link.down]]
    return Ranked(_longest(count, order, kept), kept, order)


def drawn_together(found: Ranked) -> list[int]:
    """The same columns with boxes moved to the right where that makes more lines shorter than
    longer: what is needed late stands late."""
    ranks = found.ranks[:]
    ups = [0] * len(ranks)
    downs: list[list[int]] = [[] for _ in ranks]
    for link in found.links:
        ups[link.down] += 1
        downs[link.up].append(link.down)
    for box in reversed(found.order):
        if len(downs[box]) > ups[box]:
            ranks[box] = min(ranks[down] for down in downs[box]) - 1
    return ranks


def essential(found: Ranked) -> list[Link]:
    """The links that do not follow from others: from a to c does if a to b and b to c are there."""
    place = {box: i for i, box in enumerate(found.order)}
    downs: dict[int, list[Link]] = {}
    for link in found.links:
        downs.setdefault(link.up, []).append(link)
    reached = [0] * len(place)  # one bit for each box that is somewhere behind
    kept = []
    for box in reversed(found.order):
        behind = 0
        for link in sorted(downs.get(box, ()), key=lambda link: place[link.down]):
            if not behind >> link.down & 1:
                kept.append(link)
                behind |= reached[link.down] | 1 << link.down
        reached[box] = behind
    return kept[::-1]


def _longest(count: int, order: Sequence[int], links: Sequence[Link]) -> list[int]:
    """The longest way from any beginning, for each box."""
    downs: list[list[int]] = [[] for _ in range(count)]
    for link in links:
        downs[link.up].append(link.down)
    ranks = [0] * count
    for box in order:
        for down in downs[box]:
            ranks[down] = max(ranks[down], ranks[box] + 1)
    return ranks
