"""Admission: a step starts when what it asks for is free.

First come, first served, for each kind of resource. A step that does not fit yet takes nothing,
but what there is of each kind that it asks for is kept for it: only steps that fit beside it pass.
So it is not passed for ever, and steps that need the processor run beside a queue for the GPU.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import count
from typing import Final

from penstock.model.graph import Call
from penstock.orchestrators.capacity import Amounts, Capacity, amounts

NOTHING: Final = (0, 0, 0)


class Admission:
    """Calls that are ready, and what is free for them."""

    def __init__(self, calls: Iterable[Call], capacity: Capacity) -> None:
        asked = [(call, amounts(call)) for call in calls]
        self._free = capacity.of(found for _, found in asked)
        # A map only gathers: it is its items that do what is asked for.
        self._asked = {call.id: NOTHING if call.over else found for call, found in asked}
        self._arrivals = count()
        self._ready: dict[Amounts, deque[tuple[int, str]]] = {}
        """By what they ask for, in the order of their arrival: of each queue only the first is
        looked at, however many wait."""
        self._next: Amounts | None = None
        self._is_known = True

    def __len__(self) -> int:
        """1 if one of them can start now, else 0."""
        if not self._is_known:
            self._next, self._is_known = self._found(), True
        return self._next is not None

    def expect(self, calls: Iterable[Call]) -> None:
        """They are items of a map, and were not known before."""
        self._asked.update((call.id, amounts(call)) for call in calls)

    def append(self, call: str) -> None:
        """It is ready."""
        self._ready.setdefault(self._asked[call], deque()).append((next(self._arrivals), call))
        self._is_known = False

    def popleft(self) -> str:
        """The first that can start; what it asks for is taken. Raises `IndexError`."""
        if not self or self._next is None:
            raise IndexError("nothing that is ready can start")
        queue = self._ready[self._next]
        _, call = queue.popleft()
        if not queue:
            del self._ready[self._next]
        cpu, memory, gpu = self._next
        self._free = self._free[0] - cpu, self._free[1] - memory, self._free[2] - gpu
        self._is_known = False
        return call

    def give_back(self, call: str) -> None:
        """It has ended: what it had is free."""
        cpu, memory, gpu = self._asked[call]
        self._free = self._free[0] + cpu, self._free[1] + memory, self._free[2] + gpu
        self._is_known = False

    def clear(self) -> None:
        """Nothing more is to start."""
        self._ready.clear()
        self._is_known = False

    def _found(self) -> Amounts | None:
        """The queue whose first can start. What stands before it keeps what it waits for."""
        left = self._free
        for asked in sorted(self._ready, key=lambda each: self._ready[each][0]):
            if asked[0] <= left[0] and asked[1] <= left[1] and asked[2] <= left[2]:
                return asked
            cpu, memory, gpu = asked
            left = max(left[0] - cpu, 0), max(left[1] - memory, 0), max(left[2] - gpu, 0)
        return None
