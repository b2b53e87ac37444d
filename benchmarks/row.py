"""Rows: what was measured, beside what, and what it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pairs import Clock, Cost, Spread, ratios


@dataclass(frozen=True, slots=True)
class Goal:
    """What a row must reach; its medians count."""

    most: float | None = None
    """In the row's unit."""
    times: float | None = None
    """The baseline."""


NONE = Goal()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    unit: str
    figure: Spread
    """Ours, in the unit."""
    goal: Goal = NONE
    against: str = ""
    """What the baseline is; empty if there is none."""
    baseline: Spread | None = None
    """In the unit."""
    ratio: Spread | None = None
    """Pair by pair."""
    wall: float | None = None
    """The median on the wall's clock, in the unit, of what was timed."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None if there is none."""
        checks = []
        if self.goal.most is not None:
            checks.append(self.figure.median <= self.goal.most)
        if self.goal.times is not None and self.ratio is not None:
            checks.append(self.ratio.median <= self.goal.times)
        return all(checks) if checks else None

    def to_data(self) -> dict[str, Any]:
        """JSON-able."""
        return {**asdict(self), "met": self.met}


def from_data(data: Mapping[str, Any]) -> Row:
    """The row that `to_data` was asked for."""
    made: dict[str, Any] = {name: data[name] for name in ("name", "unit", "against", "wall")}
    made["goal"] = Goal(**data["goal"])
    for name in ("figure", "baseline", "ratio"):
        made[name] = Spread(**data[name]) if data[name] else None
    return Row(**made)


def timed(
    name: str,
    ours: Sequence[Cost],
    against: str,
    other: Sequence[Cost],
    goal: Goal = NONE,
    unit: str = "ms",
    clock: Clock = "cpu",
) -> Row:
    """A row of time, ours and the baseline's."""
    scale = {"s": 1.0, "ms": 1e3}[unit]
    return Row(
        name,
        unit,
        Spread.of(cost.by(clock) * scale for cost in ours),
        goal,
        against,
        Spread.of(cost.by(clock) * scale for cost in other),
        Spread.of(ratios(ours, other, clock)),
        Spread.of(cost.wall * scale for cost in ours).median,
    )


def counted(name: str, unit: str, figures: Sequence[float], goal: Goal = NONE) -> Row:
    """A row of something that is counted."""
    return Row(name, unit, Spread.of(figures), goal)


def each(costs: Sequence[Cost], count: int) -> list[Cost]:
    """The costs of one of `count` equal parts."""
    return [cost.per(count) for cost in costs]
