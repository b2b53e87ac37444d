"""Arrivals: a large object in memory while it comes, in spans that are asked for side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from penstock.digest import Buffer
from penstock_s3.room import room

TOLD: Final = 4 << 20
"""Bytes that are shown at once."""


class Span:
    """A stretch of the object, which one request is for. It fills from its beginning."""

    def __init__(self, start: int, end: int) -> None:
        self.at = start
        """Where it goes on."""
        self.end = end

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        return self.end - self.at


class Arrival:
    """The memory that an object comes into. Spans are taken in order, and never overlap."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.data: Buffer = room(size)
        self._view = memoryview(self.data)
        self._spans: list[Span] = []
        self._taken = 0
        self._complete = 0
        """How many of the first spans are."""
        self._news = asyncio.Event()

    @property
    def free(self) -> int:
        """Bytes that no span has."""
        return self.size - self._taken

    def take(self, most: int) -> Span | None:
        """The next stretch that nobody has; None if there is none."""
        if not self.free:
            return None
        span = Span(self._taken, self._taken)
        self._spans.append(span)
        self.extend(span, most)
        return span

    def extend(self, span: Span, most: int) -> bool:
        """Make a span longer by what comes behind it; whether nobody has that."""
        if span.end != self._taken or not self.free:
            return False
        span.end = self._taken = min(self._taken + most, self.size)
        return True

    def fill(self, span: Span, piece: bytes) -> None:
        """Put bytes where the span goes on; there are not more than are left."""
        self._view[span.at : span.at + len(piece)] = piece
        span.at += len(piece)
        self._news.set()

    async def show(self, seen: Callable[[Buffer], object]) -> None:
        """All of it, in order, as it comes; to somebody who works in another thread meanwhile."""
        loop = asyncio.get_running_loop()
        at = 0
        while at < self.size:
            await self._news.wait()
            self._news.clear()
            until = self._until()
            while until - at >= TOLD or at < until == self.size:
                piece = self._view[at : min(at + TOLD, until)]
                await loop.run_in_executor(None, seen, piece)
                at += piece.nbytes
                until = self._until()

    def _until(self) -> int:
        """The first byte that is not there yet."""
        while not self._spans[self._complete].left:
            if self._complete == len(self._spans) - 1:
                break
            self._complete += 1
        return self._spans[self._complete].at
