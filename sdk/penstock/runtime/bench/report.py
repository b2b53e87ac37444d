"""Reports: what a bench has measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TypeAlias

Told: TypeAlias = Callable[[float, str], object]
"""Is told which part of all is done, from 0 to 1, and what is being done now."""


class What(StrEnum):
    """What is measured."""

    WRITE_LARGE = "write_large"
    READ_LARGE_FIRST = "read_large_first"
    """What this machine has neither written nor read before."""
    READ_LARGE = "read_large"
    WRITE_SMALL = "write_small"
    READ_SMALL = "read_small"

    @property
    def is_large(self) -> bool:
        """Whether it is about one large object, and not about many small ones."""
        return self in (What.WRITE_LARGE, What.READ_LARGE_FIRST, What.READ_LARGE)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure, in several rounds."""

    what: What
    size: int
    """Bytes of an object."""
    count: int
    """Objects in each round: the fewest, if there was no time for all."""
    seconds: Sequence[float]
    """For one object, of each round."""
    raw: Sequence[float]
    """The same without penstock; empty if there is no such way."""
    memory: int | None
    """Bytes at the peak, beyond the values themselves; None where the system does not tell."""

    @property
    def percent_of_raw(self) -> float | None:
        """How fast it is where raw is 100. In pairs: a machine is another one in the next round."""
        if not self.raw:
            return None
        pairs = zip(self.seconds, self.raw, strict=True)
        return 100 * median(raw / ours for ours, raw in pairs)


@dataclass(frozen=True, slots=True)
class Report:
    """What a bench of one artifact store has measured."""

    store: str
    flavor: str
    path: str
    compression: str
    """The store's setting. What is measured cannot be compressed: these are its costs alone."""
    raw: str
    """What raw means for this store, in words."""
    rounds: int
    figures: Sequence[Figure]
    distant: bool = False
    """Whether the store is one that this machine keeps a part of, which was not used then."""
