"""Flight: outputs that are being written by steps that have given up their place for it."""

from __future__ import annotations


class Flight:
    """The calls whose outputs are being written while others have their places.

    What they write is held in memory until they end, so there is a `limit` to it, in bytes. A call
    whose outputs do not fit below it keeps its place. Whoever asks holds a lock.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sizes: dict[str, int] = {}
        """Of each call that writes large outputs, the bytes of those so far."""
        self._free: set[str] = set()

    def __len__(self) -> int:
        """How many places are free."""
        return len(self._free)

    def writes(self, call: str, size: int) -> None:
        """One more output of a call. With 0 it writes nothing any more: it computes again, and
        needs its place."""
        self._sizes[call] = size and self._sizes.get(call, 0) + size
        self._free.discard(call)
        if size and sum(self._sizes[each] for each in (*self._free, call)) <= self._limit:
            self._free.add(call)

    def ends(self, call: str) -> None:
        """It is written, or has failed."""
        self._sizes.pop(call, None)
        self._free.discard(call)
