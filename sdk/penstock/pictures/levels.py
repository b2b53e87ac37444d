"""Levels: how high each box stands in its column, near the boxes that it is tied to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

ROUNDS: Final = 3

LOOSE: Final = 0.2
"""How much a bend says in where a box is, so that boxes stand in line with boxes."""

FREE: Final = 0.05
"""How firmly a box stays where it is that has no neighbour on this side; others count 1."""

STIFF: Final = 3.0
"""How firmly a bend follows its line, so that long lines are straight."""


def levelled(
    columns: Sequence[Sequence[int]],
    apart: Sequence[Sequence[float]],
    ups: Mapping[int, Sequence[int]],
    downs: Mapping[int, Sequence[int]],
    boxes: int,
) -> dict[int, float]:
    """The height of each middle. `apart` is the least distance from each to the one above it;
    numbers from `boxes` on are bends."""
    levels: dict[int, float] = {}
    for column, distances in zip(columns, apart, strict=True):
        height = 0.0
        middle = sum(distances) / 2
        for item, distance in zip(column, distances, strict=True):
            height += distance
            levels[item] = height - middle
    numbered = list(zip(columns, apart, strict=True))
    for _ in range(ROUNDS):
        for column, distances in numbered:
            _settle(column, distances, ups, levels, boxes)
        for column, distances in reversed(numbered):
            _settle(column, distances, downs, levels, boxes)
    for column, distances in numbered:
        both = {item: [*ups[item], *downs[item]] for item in column}
        _settle(column, distances, both, levels, boxes)
    return levels


def _settle(
    column: Sequence[int],
    distances: Sequence[float],
    beside: Mapping[int, Sequence[int]],
    levels: dict[int, float],
    boxes: int,
) -> None:
    """Move a column so that each stands as near to the mean of its neighbours as the others let it:
    the least sum of squares, by pooling those that would overlap."""
    pools: list[tuple[float, float, int]] = []  # wanted height, weight, how many
    offset = 0.0
    for item, distance in zip(column, distances, strict=True):
        offset += distance
        near = beside[item]
        wanted = _mean(near, levels, boxes) if near else levels[item]
        weight = FREE if not near else STIFF if item >= boxes else 1.0
        pool = (wanted - offset, weight, 1)
        while pools and pools[-1][0] >= pool[0]:
            pool = _pooled(pools.pop(), pool)
        pools.append(pool)
    offset = 0.0
    heights = iter([height for height, _, count in pools for _ in range(count)])
    for item, distance in zip(column, distances, strict=True):
        offset += distance
        levels[item] = next(heights) + offset


def _mean(near: Sequence[int], levels: Mapping[int, float], boxes: int) -> float:
    if len(near) == 1:
        return levels[near[0]]
    weights = [LOOSE if each >= boxes else 1.0 for each in near]
    total = sum(levels[each] * weight for each, weight in zip(near, weights, strict=True))
    return total / sum(weights)


def _pooled(
    above: tuple[float, float, int], below: tuple[float, float, int]
) -> tuple[float, float, int]:
    weight = above[1] + below[1]
    height = (above[0] * above[1] + below[0] * below[1]) / weight
    return height, weight, above[2] + below[2]
