"""Columns: the order of boxes below each other, so that few lines cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from penstock.pictures.ranks import Link, Ranked, drawn_together, essential

ROOM: Final = 3000
"""Columns that all lines together may pass before those that follow from others are left out."""

SWEEPS: Final = 4

COUNTED: Final = 4000
"""Pieces of lines up to which crossings are counted, to keep the best order."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Boxes, and the bends at which lines pass columns, by number: bends come after the boxes."""

    columns: list[list[int]]
    pieces: list[Link]
    """Each from one column to the next."""
    omitted: int
    """Lines left out, as they follow from others."""


def arranged(found: Ranked) -> Columns:
    """The columns of one connected picture."""
    ranks = drawn_together(found)
    links = found.links
    if sum(ranks[link.down] - ranks[link.up] for link in links) > ROOM:
        links = essential(found)
    columns: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
    for box in found.order:
        columns[ranks[box]].append(box)
    pieces = _pieces(ranks, links, columns)
    return Columns(_ordered(columns, pieces), pieces, len(found.links) - len(links))


def _pieces(ranks: list[int], links: Sequence[Link], columns: list[list[int]]) -> list[Link]:
    """Lines cut at each column that they pass. Lines that part late, or meet early, share bends:
    of two boxes the one with more long lines keeps them together."""
    long = [link for link in links if ranks[link.down] - ranks[link.up] > 1]
    leaving = Counter(link.up for link in long)
    arriving = Counter(link.down for link in long)
    bends: dict[tuple[int, int], int] = {}
    number = len(ranks)
    found: dict[tuple[int, int], bool] = {}
    for up, down, silent in links:
        track = down if arriving[down] > leaving[up] else up
        at = up
        for rank in range(ranks[up] + 1, ranks[down]):
            bend = bends.get((track, rank))
            if bend is None:
                bend = bends[track, rank] = number
                columns[rank].append(bend)
                number += 1
            found[at, bend] = silent and found.get((at, bend), True)
            at = bend
        found[at, down] = silent and found.get((at, down), True)
    return [Link(up, down, silent) for (up, down), silent in found.items()]


def _ordered(columns: list[list[int]], pieces: Sequence[Link]) -> list[list[int]]:
    """Each column sorted by where the neighbours are, from the left and from the right in turn."""
    ups, downs = neighbours(columns, pieces)
    best, fewest = columns, _crossings(columns, downs, len(pieces))
    for _ in range(SWEEPS):
        if not fewest:
            break
        columns = _swept(columns, ups)
        columns = _swept(columns[::-1], downs)[::-1]
        crossings = _crossings(columns, downs, len(pieces))
        if crossings < fewest:
            best, fewest = columns, crossings
    return best


def neighbours(
    columns: Sequence[Sequence[int]], pieces: Sequence[Link]
) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """What stands left and what stands right of each box and bend."""
    ups: dict[int, list[int]] = {item: [] for column in columns for item in column}
    downs: dict[int, list[int]] = {item: [] for item in ups}
    for piece in pieces:
        ups[piece.down].append(piece.up)
        downs[piece.up].append(piece.down)
    return ups, downs


def _swept(columns: Sequence[list[int]], beside: dict[int, list[int]]) -> list[list[int]]:
    """Every column but the first sorted by the mean place of its neighbours in the one before."""
    done = [columns[0]]
    for column in columns[1:]:
        place = {item: i / len(done[-1]) for i, item in enumerate(done[-1])}
        wanted = {}
        for i, item in enumerate(column):
            near = beside[item]
            mean = sum(place[each] for each in near) / len(near) if near else i / len(column)
            wanted[item] = mean
        done.append(sorted(column, key=wanted.__getitem__))
    return done


def _crossings(columns: Sequence[list[int]], downs: dict[int, list[int]], pieces: int) -> int:
    """How many lines cross; of very many only that they do, which is dear enough to draw."""
    if pieces > COUNTED:
        return 1
    total = 0
    for left, right in pairwise(columns):
        place = {item: i for i, item in enumerate(right)}
        above: list[int] = []
        for item in left:
            ends = sorted(place[down] for down in downs[item])
            total += sum(len(above) - bisect_right(above, end) for end in ends)
            for end in ends:
                insort(above, end)
    return total
