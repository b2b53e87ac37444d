"""Item lines: the first items of a map get a line each, of the others there is one at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from penstock.model.records import Status, StepRun
from penstock.quantities import duration

FIRST: Final = 20
"""Items of one map that get a line of their own. Those that fail get one in any case."""


@dataclass(slots=True)
class _Map:
    """What is known of the items of one."""

    began: float = field(default_factory=time.perf_counter)
    done: int = 0
    told: int = 0
    cached: int = 0
    failed: int = 0


class ItemLines:
    """Counts the items of the maps of one run."""

    def __init__(self) -> None:
        self._left: Counter[str] = Counter()
        self._maps: dict[str, _Map] = {}

    def expect(self, calls: Iterable[str]) -> None:
        """These steps are in the run: how many items its maps have is known of those whose list
        was known when it was drawn."""
        self._left.update(filter(None, map(map_of, calls)))

    def found(self, calls: Iterable[str]) -> None:
        """These were in the cache when the run was planned."""
        self._left.subtract(filter(None, map(map_of, calls)))

    def begun(self, call: str) -> None:
        """A step begins; the first item of a map is when that begins."""
        if (name := map_of(call)) and name not in self._maps:
            self._maps[name] = _Map()

    def is_told(self, call: str, run: StepRun) -> bool:
        """Whether a step that is done gets a line of its own."""
        if not (name := map_of(call)):
            return True
        self._left[name] -= 1
        found = self._maps.setdefault(name, _Map())
        found.done += 1
        found.cached += run.status is Status.CACHED
        found.failed += run.failure is not None
        is_told = run.failure is not None or found.done - found.failed <= FIRST
        found.told += is_told
        return is_told

    def end(self, name: str) -> str:
        """What is to be said of all items of a map that is done; nothing if each has its line."""
        found = self._maps.pop(name, None)
        if found is None or found.told == found.done:
            return ""
        counts = ((found.cached, "cached"), (found.failed, "failed"))
        rest = "".join(f", {count:,} {what}" for count, what in counts if count)
        took = duration(time.perf_counter() - found.began)
        return f"{found.done:,} items  {took}{rest}"

    def ended(self, call: str) -> str:
        """The map that has ended with this item, if its items were known from the beginning."""
        name = map_of(call)
        return name if name in self._left and self._left[name] == 0 else ""

    def left(self) -> list[str]:
        """The maps of which nothing was said yet."""
        return list(self._maps)


def map_of(call: str) -> str:
    """The map that a step is an item of, by its id; empty if of none."""
    name, _, number = call.rpartition(".")
    return name if number.isdecimal() else ""
