"""Loads: values of one size, and what was measured with them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock.digest import Buffer
from penstock.runtime.bench.ours import Ours
from penstock.runtime.bench.peak import Peak
from penstock.runtime.bench.report import Figure, What
from penstock.runtime.bench.side import Handle, Side, Value, touch

PATIENCE: Final = 5.0
"""Seconds after which no further value of a load is written, or read."""


@dataclass(slots=True)
class _Taken:
    """What one measure took, round by round."""

    seconds: list[float] = field(default_factory=list)
    raw: list[float] = field(default_factory=list)
    memory: int | None = None


class Load:
    """Values to be written and read. `first` is their first reading, where that is another one."""

    def __init__(
        self, values: Sequence[Value], write: What, read: What, first: What | None = None
    ) -> None:
        self._values = values
        self._write = write
        self._read = read
        self._first = first
        self._taken: dict[What, _Taken] = {}
        self._count = len(values)

    def weigh(self, ours: Ours) -> None:
        """Once without the clock: the memory that it takes. It warms everything up, too."""
        with Peak() as writing:
            handles, _ = self._written(ours)
        self._of(self._write).memory = writing.growth
        for what in self._readings(ours, handles):
            with Peak() as reading:
                _, held = self._found(ours, handles)
            self._of(what).memory = reading.beyond
            del held
        ours.remove(handles)

    def bare(self, raw: Side) -> None:
        """One round without penstock."""
        handles, seconds = self._written(raw)
        self._of(self._write).raw.append(seconds)
        seconds, _ = self._found(raw, handles)
        self._of(self._read).raw.append(seconds)
        if self._first is not None:
            self._of(self._first).raw.append(seconds)
        raw.remove(handles)

    def measure(self, ours: Ours) -> None:
        """One round with penstock."""
        ours.forget()
        handles, seconds = self._written(ours)
        self._of(self._write).seconds.append(seconds)
        for what in self._readings(ours, handles):
            seconds, _ = self._found(ours, handles)
            self._of(what).seconds.append(seconds)
        ours.remove(handles)

    def figures(self) -> Iterator[Figure]:
        """What was measured, in all rounds."""
        size = len(self._values[0])
        for what, taken in self._taken.items():
            if taken.seconds:
                yield Figure(what, size, self._count, taken.seconds, taken.raw, taken.memory)

    def _readings(self, ours: Ours, handles: Sequence[Handle]) -> Iterator[What]:
        """What there is to be read, each when it is to be done."""
        if self._first is not None and ours.remembers(handles[0]):
            ours.forget()
            yield self._first
        yield self._read

    def _of(self, what: What) -> _Taken:
        return self._taken.setdefault(what, _Taken())

    def _written(self, side: Side) -> tuple[list[Handle], float]:
        """Where the values are now, and seconds for each."""
        handles: list[Handle] = []
        begin = time.perf_counter()
        for value in self._values:
            handles.append(side.write(value))
            if time.perf_counter() - begin > PATIENCE:
                break
        return handles, self._each(begin, len(handles))

    def _found(self, side: Side, handles: Sequence[Handle]) -> tuple[float, Buffer]:
        """Seconds for each, and the last one, whose end is no part of that."""
        data: Buffer = b""
        left = len(handles)
        begin = time.perf_counter()
        for handle in handles:
            data = side.read(handle)
            touch(data)
            left -= 1
            if time.perf_counter() - begin > PATIENCE:
                break
        return self._each(begin, len(handles) - left), data

    def _each(self, begin: float, done: int) -> float:
        self._count = min(self._count, done)
        return (time.perf_counter() - begin) / done
