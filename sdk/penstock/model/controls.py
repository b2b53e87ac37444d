"""What a step may take from the cache. It is said in several places; the strictest counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self


@dataclass(frozen=True, slots=True)
class Controls:
    """What one of these places says: the step, a pipeline, a stack, the run."""

    cache: bool = True
    """False: nothing is taken from the cache, and nothing is left there."""
    refresh: bool = False
    """Nothing is taken from the cache, and what is there is replaced."""
    cache_for: float | None = None
    """Seconds since it was begun for which a result can be taken; None is for ever."""

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return not self.cache or self.refresh or self.cache_for is not None

    @property
    def replaces(self) -> bool:
        """Whether a new result takes the place of the one that the cache has."""
        return self.refresh or self.cache_for is not None

    def joined(self, other: Self) -> Self:
        """What both say together: off anywhere is off, a refresh anywhere is one, and of two spans
        of time the shorter one counts."""
        if not other:
            return self
        spans = [each.cache_for for each in (self, other) if each.cache_for is not None]
        return type(self)(
            self.cache and other.cache, self.refresh or other.refresh, min(spans, default=None)
        )


ANYTHING: Final = Controls()
"""Whatever the cache has, however old."""
