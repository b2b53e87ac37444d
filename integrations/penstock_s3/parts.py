"""Parts: what a large object is cut into, and private copies of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from penstock.artifacts.source import gathered
from penstock.digest import Buffer
from penstock_s3.promise import Promise
from penstock_s3.room import room

MOST: Final = 10_000
"""Parts of one upload, for S3."""

SMALLEST: Final = 5 << 20
"""Bytes of a part that is not the last one, for S3."""

CHUNK: Final = 1 << 20
"""Bytes that are copied at once: what was just copied is looked at while it is in the cache."""


@dataclass(slots=True)
class Part:
    """A stretch of an object. Whoever owns the memory may change it at any time."""

    number: int
    """From 1, as S3 counts."""
    views: Sequence[memoryview]
    size: int

    def copied(self, into: memoryview) -> Iterator[memoryview]:
        """Copy it; what was copied is seen chunk by chunk."""
        at = 0
        for view in self.views:
            for start in range(0, view.nbytes, CHUNK):
                chunk = view[start : start + CHUNK]
                target = into[at : at + chunk.nbytes]
                target[:] = chunk
                at += chunk.nbytes
                yield target


def cut(buffers: Sequence[Buffer], wanted: int) -> list[Part]:
    """The parts of an object, of the size that is wanted if there are not too many then."""
    all_views = (memoryview(buffer) for buffer in buffers)
    views = [view.cast("B") for view in all_views if view.nbytes]
    size = max(wanted, SMALLEST, -(-sum(view.nbytes for view in views) // MOST))
    return [
        Part(number, piece, sum(view.nbytes for view in piece))
        for number, piece in enumerate(gathered(views, size), start=1)
    ]


class Lane:
    """Memory for one part at a time, which is sent from there."""

    def __init__(self, size: int) -> None:
        self._memory = memoryview(room(size))

    def packed(self, part: Part, promise: Promise) -> memoryview:
        """A private copy of the part, which is the next one of what was promised."""
        for chunk in part.copied(self._memory):
            promise.copied(chunk)
        return self._memory[: part.size]
