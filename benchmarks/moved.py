"""Values that are kept and got back: ours beside the raw operation and what others do.

Time is that of the clock on the wall, because we hash in one thread while another one writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from pairs import Cost
from process import fresh, lasting, script
from row import NONE, Goal, Row, counted, timed
from things import MANY_FILES, scaled

OURS: Final = "penstock"


@dataclass(frozen=True, slots=True)
class Kind:
    """Things of one kind, and what is asked of them."""

    name: str
    """What the table calls one, with a place for how much of it there is."""
    most: int
    """How much at the usual size."""
    done: str
    beside: Mapping[str, Goal]
    """Goals by the names of other ways; they are in the table in this order."""
    best: tuple[str, ...] = ()
    """Only the goal beside the quickest of these counts."""


KINDS: Final[Mapping[str, Kind]] = {
    "array": Kind(
        *("array of {:,} MB", 512, "stored and loaded"),
        {"np.save, mapped": Goal(times=1.25), "pickle 5": NONE, "joblib": NONE},
    ),
    "frame": Kind(
        *("frame of {:,} × 8", 5_000_000, "written and read"),
        {"feather": Goal(times=1), "pickle 5": Goal(times=1), "joblib": NONE},
        best=("feather", "pickle 5"),
    ),
    "forest": Kind(
        *("forest of {:,} MB", 100, "written and read"),
        {"pickle 5": NONE, "joblib": NONE},
    ),
    "arrays": Kind(
        *("10 arrays of {:,} MB", 20, "written and read"),
        {"pickle 5": NONE, "joblib": NONE, "np.savez": NONE},
    ),
    "small": Kind(
        *("{:,} values of 1 KB", 5000, "saved and loaded"),
        {"pickle 5, a file each": NONE},
    ),
    "tree": Kind(
        *("tree of {:,} files", 1000, "stored and given"),
        {"cp -r": Goal(times=4), "shutil.copytree": NONE},
    ),
    "changed": Kind(
        *("tree of {:,} files, one changed", 1000, "stored and given"),
        {"cp -r": Goal(times=4), "shutil.copytree": NONE},
    ),
}

AGAIN: Final = Goal(times=0.45)
FIRST_ELEMENT: Final = Goal(most=5)
ONE_FILE: Final = Goal(most=2)
"""The file and the list of all of them."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What one way took for one kind of thing: seconds, medians."""

    thing: str
    way: str
    write: float
    read: float

    def to_data(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Moved:
    """What was measured of one kind."""

    kind: str
    size: int
    taken: Mapping[str, Sequence[Mapping[str, Any]]]
    """By way, one for each round: what the phases took."""

    @property
    def name(self) -> str:
        kind = KINDS[self.kind]
        return kind.name.format(scaled(kind.most, self.size))

    def costs(self, way: str, *phases: str) -> list[Cost]:
        """What these phases took together, round by round."""
        return [
            sum((Cost(**each[phase]) for phase in phases), Cost(0.0, 0.0))
            for each in self.taken[way]
        ]

    def bars(self) -> Iterator[Bar]:
        for way in self.taken:
            took = (_middle(self.costs(way, phase)) for phase in ("write", "read"))
            yield Bar(self.name, way, *took)

    def rows(self) -> Iterator[Row]:
        kind = KINDS[self.kind]
        ours = self.costs(OURS, "write", "read")
        others = {way: self.costs(way, "write", "read") for way in kind.beside}
        best = min(kind.best, key=lambda way: _middle(others[way]), default=None)
        for way, goal in kind.beside.items():
            counts = NONE if way in kind.best and way != best else goal
            yield _timed(f"{self.name}, {kind.done}", ours, way, others[way], counts)
        if self.kind == "array":
            yield from self._array_rows()
        if self.kind == "changed":
            new = [each["new objects"] for each in self.taken[OURS]]
            yield counted(f"{self.name}, new", "objects", new, ONE_FILE)

    def _array_rows(self) -> Iterator[Row]:
        once, again, read, hashed = (self.costs(OURS, phase) for phase in self.taken[OURS][0])
        raw = KINDS[self.kind].beside
        mapped, whole = (self.costs(next(iter(raw)), phase) for phase in ("read", "whole"))
        name = self.name
        yield _timed(f"{name}, stored again", again, "the first time", once, AGAIN)
        yield _timed(f"{name}, loaded", read, "np.load, mapped", mapped, FIRST_ELEMENT)
        yield _timed(f"{name}, hashed and loaded", hashed, "np.load", whole)


def measured(kind: str, folder: Path, size: int, rounds: int) -> Moved:
    """One kind in every way, in a process of its own."""
    places = lasting if kind in MANY_FILES else fresh
    (done,) = [script("moving.py", place, kind, size, rounds) for place in places(folder, 1)]
    return Moved(kind, size, json.loads(done.out))


def _middle(costs: Sequence[Cost]) -> float:
    return median(cost.wall for cost in costs)


def _timed(name: str, ours: list[Cost], way: str, other: list[Cost], goal: Goal = NONE) -> Row:
    return timed(name, ours, way, other, goal, clock="wall")
