"""The bench: a large value and small ones, written and read in turn with the bare place."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from penstock.artifacts.store import ArtifactStore
from penstock.quantities import size as shown
from penstock.runtime.bench import room
from penstock.runtime.bench.content import Content
from penstock.runtime.bench.load import Load
from penstock.runtime.bench.ours import Ours
from penstock.runtime.bench.place import Place, place, sweep
from penstock.runtime.bench.raw import raw_side
from penstock.runtime.bench.report import Report, Told, What
from penstock.runtime.bench.side import Side
from penstock.runtime.orderly import Orderly, Work

SMALL: Final = 8 << 10
"""Bytes of a small object: above what lies in a record."""

ROUNDS: Final = 3

STEPS: Final = 1 + 2 + 2 * 2 * ROUNDS
"""Of which somebody is told: making the values, weighing, and in each round the two of each."""

BUDGET: Final = 15.0
"""Seconds in which the last round is to end, unless it is the first one."""


def nobody(part: float, doing: str) -> None:
    """Whom to tell if nobody wants to know."""


def bench(store: ArtifactStore, size: int, count: int, memory: int, told: Told) -> Report:
    """Measure a store with a large object of `size` bytes and `count` small ones, and leave it as
    it was.

    `memory` is what this process may use. Signals end it as they end a run. Raises `BadArguments`
    or `StoreUnavailable` if there is no room.
    """
    room.check(store, size, SMALL * count, memory)
    with Orderly() as orderly:
        with orderly.work:
            sweep(store)
        here = place(store)
        try:
            with orderly.work:
                return _measured(store, here, _Steps(told, orderly.work), size, count)
        finally:
            here.remove()


class _Steps:
    """Tells how far it is, by the number of steps: none of them knows how long it will take."""

    def __init__(self, told: Told, work: Work) -> None:
        self._told = told
        self._work = work
        self._begun = 0

    def begin(self, doing: str) -> None:
        self._work.check()
        self._told(self._begun / STEPS, doing)
        self._begun += 1

    def end(self) -> None:
        self._told(1, "done")


def _measured(store: ArtifactStore, here: Place, steps: _Steps, size: int, count: int) -> Report:
    steps.begin(f"making {shown(size)} that nothing compresses")
    content = Content()
    large, small = [content.one(size)], content.many(count, SMALL)
    loads = {
        f"1 x {shown(size)}": Load(large, What.WRITE_LARGE, What.READ_LARGE, What.READ_LARGE_FIRST),
        f"{count:,} x {shown(SMALL)}": Load(small, What.WRITE_SMALL, What.READ_SMALL),
    }
    ours = Ours(here.store)
    raw, raw_is = raw_side(store, here)
    for name, load in loads.items():
        steps.begin(f"{name}: once, for the memory")
        load.weigh(ours)
    rounds = _rounds(loads, ours, raw, steps)
    steps.end()
    figures = [figure for load in loads.values() for figure in load.figures()]
    return Report(
        *(store.name, store.flavor, store.path, store.compression),
        *(raw_is, rounds, figures, store.distant),
    )


def _rounds(loads: Mapping[str, Load], ours: Ours, raw: Side | None, steps: _Steps) -> int:
    """As many as there is time for. Returns how many."""
    begin, took, done = time.monotonic(), 0.0, 0
    while done < ROUNDS and (not done or time.monotonic() - begin + took < BUDGET):
        now, done = time.monotonic(), done + 1
        for name, load in loads.items():
            if raw is not None:
                steps.begin(f"{name}: round {done}, raw")
                load.bare(raw)
            steps.begin(f"{name}: round {done}, penstock")
            load.measure(ours)
        took = time.monotonic() - now
    return done
