"""Costs side by side: A B A B …, and their ratios pair by pair.

Machines flip between full and half speed from one second to the next. What both sides of a pair
have in common is divided out in their ratio; to compare the median of all As with the median of
all Bs would be to compare two machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal, TypeAlias, TypeVar

Clock: TypeAlias = Literal["cpu", "wall"]
"""Which of the two figures of a cost counts."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one piece of work took."""

    cpu: float
    """Seconds of processor time, user and system."""
    wall: float
    """Seconds on the clock: what a busy machine disturbs most."""
    peak: int = 0
    """Bytes: the most that the process had resident."""
    files: int = 0
    """Files that are there since."""

    def per(self, count: int) -> Cost:
        """The same for one of `count` equal parts."""
        return Cost(self.cpu / count, self.wall / count, self.peak, self.files)

    def __add__(self, other: Cost) -> Cost:
        """One piece of work after the other."""
        peak = max(self.peak, other.peak)
        return Cost(self.cpu + other.cpu, self.wall + other.wall, peak, self.files + other.files)

    def by(self, clock: Clock) -> float:
        """Seconds."""
        return self.cpu if clock == "cpu" else self.wall


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of several figures, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        values = sorted(figures)
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(median(values), low, high)


Place = TypeVar("Place")
Taken = TypeVar("Taken")


def alternate(
    sides: Mapping[str, Callable[[Place], Taken]], places: Iterable[Place]
) -> dict[str, list[Taken]]:
    """Every side once in each place, in turn: what each took, in the order of the places."""
    taken: dict[str, list[Taken]] = {name: [] for name in sides}
    for place in places:
        for name, side in sides.items():
            taken[name].append(side(place))
    return taken


def ratios(ours: Sequence[Cost], other: Sequence[Cost], clock: Clock = "cpu") -> list[float]:
    """How many times as long as the other side of its pair each of ours took."""
    return [one.by(clock) / two.by(clock) for one, two in zip(ours, other, strict=True)]
