"""Hearing: what C code and other programs write to the standard descriptors becomes speech."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Protocol, TextIO

from penstock.runtime.capturing import ways
from penstock.runtime.capturing.detours import Detour, detours, flush_c
from penstock.runtime.capturing.speech import Outlet, Voice
from penstock.runtime.capturing.ways import Way
from penstock.runtime.live import screen
from penstock.runtime.logs import StepLog


class Present(Protocol):
    """Who is there to be heard."""

    is_alone: bool

    def anybody(self) -> Voice | None:
        """Whose what nobody is known for must be."""


class Hearing:
    """The detours of the standard descriptors, and whoever is heard on each."""

    def __init__(self, stage: Present) -> None:
        self._stage = stage
        self._detours: tuple[Detour, ...] = ()
        self._left: list[Detour] = []
        """Not taken any more, but the ways of some streams still lead through them."""
        self.times = 0
        """How often the descriptors were led elsewhere, or back."""
        self._begin()

    def _begin(self) -> None:
        # Reentrant, because the handler of a signal may print in the midst of printing.
        self._lock = threading.RLock()
        self._outlets: dict[Detour, tuple[Voice, Outlet]] = {}

    @property
    def is_on(self) -> bool:
        return bool(self._detours)

    def begin(self) -> None:
        """Lead the standard descriptors to files."""
        flush_c()
        _flush(sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
        self._detours = tuple(detours())
        self.times += 1

    def end(self) -> None:
        """The standard descriptors are the real ones again."""
        if self._detours:
            with self._lock:
                for detour in self._detours:
                    detour.end()
                self.hear_all()  # once more: until now somebody may have written
                self.over(None)
                self._left += self._detours
                self._detours = ()
                self.times += 1

    def close(self) -> None:
        """No way leads through a file any more."""
        self.end()
        left, self._left = self._left, []
        for detour in left:
            detour.close()

    def hear(self) -> None:
        """Take what was written so far. For threads that carry out a run, which no other ends."""
        for detour in self._detours:
            if detour.has_news:
                self.take()
                return

    def take(self) -> None:
        """Take what was written, if anything was."""
        full: set[StepLog] = set()
        # The terminal first, and only then the lock: so does everybody who writes there.
        with screen.above(b"") if screen.is_on else nullcontext(), self._lock:
            for detour in self._detours:
                for data in detour.news():
                    full.update(self._heard(detour, data))
        for log in full:
            log.flush()

    def hear_all(self) -> None:
        """Also what still waits in C, and in a stream from before the run that somebody kept."""
        if self._detours:
            flush_c()
            _flush(sys.__stdout__, sys.__stderr__)
            self.hear()

    def has_news(self) -> bool:
        """For a thread beside the run, which may just end."""
        with self._lock:  # nobody closes a file meanwhile
            return any(detour.has_news for detour in self._detours)

    def over(self, voice: Voice | None) -> None:
        """This voice, or every one, is heard no more: what was held back of it goes on."""
        if not self._outlets:
            return
        with self._lock:
            for detour, (owner, outlet) in tuple(self._outlets.items()):
                if voice is None or owner is voice:
                    outlet.end()
                    del self._outlets[detour]

    def _heard(self, detour: Detour, data: bytes) -> Iterator[StepLog]:
        """Logs that are full then."""
        voice = self._stage.anybody()
        if voice is None:
            detour.way.send(data)
            return
        if detour not in self._outlets or self._outlets[detour][0] is not voice:
            if detour in self._outlets:
                self._outlets[detour][1].end()
            self._outlets[detour] = voice, Outlet(voice.log, detour.way)
        if self._outlets[detour][1].take(data, self._stage.is_alone):
            yield voice.log

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """What is written meanwhile was said, and is in a log already: it only goes on."""
        if not self._detours:
            yield
            return
        with self._lock:
            self.hear()
            try:
                yield
            finally:
                _flush(sys.__stdout__, sys.__stderr__)
                for detour in self._detours:
                    for data in detour.news():
                        detour.way.send(data)

    def real(self, number: int) -> int:
        """Where a standard descriptor really leads."""
        found = (detour.real(number) for detour in self._detours)
        return next((kept for kept in found if kept is not None), number)

    def way(self, stream: TextIO) -> Way:
        """To a stream from before the run."""
        found: object = stream
        if isinstance(found, ways.Nowhere):
            return ways.ToNowhere()
        if not ways.only_encodes(stream):
            return ways.ToText(stream, self.unheard)
        detour = self._detour(stream)
        return ways.ToBuffer(stream) if detour is None else ways.Along(detour.way, stream)

    def _detour(self, stream: TextIO) -> Detour | None:
        with suppress(OSError, ValueError):
            number = stream.fileno()
            return next((item for item in self._detours if item.real(number) is not None), None)
        return None

    def forked(self) -> None:
        """In a child: what is written here is heard by the parent."""
        self._begin()
        self.times += 1
        for detour in (*self._detours, *self._left):
            detour.forked()


def _flush(*streams: TextIO | None) -> None:
    for stream in streams:
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError, RuntimeError):  # full, closed; in the midst of a write
            continue
