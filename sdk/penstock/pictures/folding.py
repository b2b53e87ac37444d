"""Folding: equal steps side by side become one card, so that a wide `map` is one box."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from penstock.pictures.card import Card
from penstock.pictures.node import Edge, Node
from penstock.pictures.ranks import Link, ranked

MANY: Final = 8
"""Equal steps up to which each has a box of its own."""

_NUMBERED: Final = re.compile(r"(.+)[.-]\d+", re.DOTALL)


def folded(nodes: Sequence[Node], edges: Iterable[Edge]) -> tuple[list[Card], list[Link]]:
    """Cards, and which waits for which, by their places in the list.

    Steps are equal if they share a name but for the number and none waits for another, in however
    many steps: they have one rank. So what is folded can have no circle that was not there before.
    """
    place = {node.id: i for i, node in enumerate(nodes)}
    links = [
        Link(place[edge.up], place[edge.down], edge.silent)
        for edge in edges
        if edge.up in place and edge.down in place and edge.up != edge.down
    ]
    families: dict[tuple[str, int], list[int]] = {}
    for i, rank in enumerate(ranked(len(nodes), links).ranks):
        families.setdefault((_family(nodes[i].id), rank), []).append(i)
    cards: list[Card] = []
    card_of: dict[int, int] = {}
    for (name, _), members in families.items():
        for group in [members] if len(members) > MANY else [[i] for i in members]:
            card_of.update(dict.fromkeys(group, len(cards)))
            several = len(group) > 1
            cards.append(
                Card(name if several else nodes[group[0]].id, tuple(nodes[i] for i in group))
            )
    return cards, _merged(links, card_of)


def _merged(links: Iterable[Link], card_of: Mapping[int, int]) -> list[Link]:
    """Each pair of cards once; silent only if all edges between them are."""
    found: dict[tuple[int, int], bool] = {}
    for up, down, silent in links:
        pair = card_of[up], card_of[down]
        found[pair] = silent and found.get(pair, True)
    return [Link(up, down, silent) for (up, down), silent in found.items() if up != down]


def _family(id: str) -> str:
    match = _NUMBERED.fullmatch(id)
    return match[1] if match else id
