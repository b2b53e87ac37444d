"""A child of `moved.py`: keeps a thing and gets it back, in every way in turn.

    python moving.py array 512 5

The first round is to get warm, and to see that what comes back is what was kept.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import process
import shelves
import things
import ways
from clock import took
from things import Thing
from ways import Way

Measured = dict[str, Any]
"""Costs by phase, as `clock.took` says them."""

KINDS: Mapping[str, tuple[Callable[[int], Thing], Sequence[type[Way]]]] = {
    "array": (things.array, (shelves.Shelf, ways.Npy, ways.Pickle5, ways.Joblib)),
    "frame": (things.frame, (shelves.Shelf, ways.Feather, ways.Pickle5, ways.Joblib)),
    "forest": (things.forest, (shelves.Shelf, ways.Pickle5, ways.Joblib)),
    "arrays": (things.arrays, (shelves.Shelf, ways.Pickle5, ways.Joblib, ways.Npz)),
    "small": (things.small, (shelves.SmallShelf, ways.OneByOne)),
    "tree": (things.tree, (shelves.TreeShelf, ways.Copy, ways.CopyTree)),
    "changed": (things.tree, (shelves.ChangedShelf, ways.Copy, ways.CopyTree)),
}


def main(kind: str, size: int, rounds: int) -> None:
    make, kinds = KINDS[kind]
    thing = make(size)
    taken: dict[str, list[Measured]] = {way.name: [] for way in kinds}
    places = process.lasting if kind in things.MANY_FILES else process.fresh
    for number, place in enumerate(places(Path.cwd(), rounds + 1)):
        for make_way in turned(kinds, number):
            folder = place / make_way.name
            folder.mkdir()
            costs = measured(make_way(thing.value, folder), thing, check=number == 0)
            if number:
                taken[make_way.name].append(costs)
    print(json.dumps(taken))


def turned(kinds: Sequence[type[Way]], number: int) -> Sequence[type[Way]]:
    """Another one is first in each round: it comes right after much was deleted."""
    start = number % len(kinds)
    return [*kinds[start:], *kinds[:start]]


def measured(way: Way, thing: Thing, *, check: bool) -> Measured:
    costs: Measured = {}
    for phase in way.phases:
        costs[phase], found = clocked(getattr(way, phase), thing)
        if check and found is not None and not thing.same(thing.value, found):
            raise ValueError(f"{way.name}, {phase}: what came back is not what was kept.")
        del found  # outside of the clock
    if isinstance(way, shelves.ChangedShelf):
        costs["new objects"] = way.new_objects()
    return costs


def clocked(phase: Callable[[], Any], thing: Thing) -> tuple[dict[str, float], Any]:
    """What it took until the first use of what it returns, and that."""
    found: list[Any] = []

    def work() -> None:
        found.append(phase())
        if found[0] is not None:
            thing.used(found[0])

    gc.collect()
    return took(work), found.pop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
