"""Proxies: what `sys.stdout` and `sys.stderr` are during a run."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO, Protocol, TextIO, cast

from penstock.runtime.capturing.speech import Voice
from penstock.runtime.capturing.ways import Way


class Ears(Protocol):
    """What is to be known of the standard descriptors."""

    @property
    def is_on(self) -> bool: ...
    @property
    def times(self) -> int:
        """How often they were led elsewhere, or back."""

    def real(self, number: int) -> int: ...
    def way(self, stream: TextIO) -> Way: ...


class Speakers(Protocol):
    """Who is on the stage."""

    @property
    def hearing(self) -> Ears: ...
    def speaker(self) -> Voice | None: ...


class Proxy(io.TextIOBase):
    """A standard stream whose text goes to the step that uses it, and then to the real stream.

    Its `write` is an attribute: C's own, whenever it is known who speaks.
    """

    def __init__(self, name: str, stream: TextIO, stage: Speakers) -> None:
        self.stream = stream
        self.is_active = True
        """Not any more when the run is over: somebody may have kept it."""
        self._name = name
        self._stage = stage

    def __del__(self) -> None:
        """Not what a stream does, which is to close itself: the real one is not ours."""

    def write(self, text: str) -> int:
        return self.dispatch(text)

    def retire(self) -> None:
        """The run is over."""
        self.is_active = False
        self.write = self.stream.write  # type: ignore[method-assign, assignment]

    def dispatch(self, text: str) -> int:
        """Write to the wrapper of whoever speaks."""
        voice = self._stage.speaker() if self.is_active else None
        if voice is None:
            return Beside(self.stream, self._stage.hearing).write(text)
        with voice.lock:
            if not voice.is_over:
                return voice.text(self._name).write(text)
        return self.dispatch(text)

    def flush(self) -> None:
        voice = self._stage.speaker() if self.is_active else None
        if voice is None or self._name not in voice.texts:  # nothing was said here yet
            self.stream.flush()
        else:
            voice.flush(self._name)

    def close(self) -> None:
        """For the step that does this. The run goes on, and others may print."""
        voice = self._stage.speaker() if self.is_active else None
        if voice is None:
            self.stream.close()
        else:
            voice.text(self._name).close()

    @property
    def closed(self) -> bool:
        voice = self._stage.speaker() if self.is_active else None
        text = None if voice is None else voice.texts.get(self._name)
        return self.stream.closed if text is None else text.closed

    @property
    def buffer(self) -> BinaryIO:
        """For bytes, which are said by whoever asks for it."""
        buffer = self.stream.buffer  # or the error that there is none
        voice = self._stage.speaker() if self.is_active else None
        return buffer if voice is None else cast(BinaryIO, voice.text(self._name).buffer)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return isatty(self.stream, self._stage.hearing)

    def fileno(self) -> int:
        """Of a terminal the real one, which can be asked for its size; else the one that is heard,
        for children that are given it. Reports of crashes cannot wait to be heard."""
        number = self.stream.fileno()
        if self.is_active and (self._name == "stderr" or self.isatty()):
            return self._stage.hearing.real(number)
        return number

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.stream.errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Beside:
    """A real stream, for what is said about steps, not by them."""

    def __init__(self, stream: TextIO, ears: Ears) -> None:
        self._stream = stream
        self._ears = ears
        self._way: Way | None = None
        self._found_at = -1

    def write(self, text: str) -> int:
        if self._found_at != self._ears.times:
            self._found_at, self._way = self._ears.times, self._found()
        if self._way is None:
            return self._stream.write(text)
        self._way.send(text.encode("utf-8", "backslashreplace"))
        return len(text)

    def _found(self) -> Way | None:
        """The way around a detour, if there is one."""
        number = _fileno(self._stream) if self._ears.is_on else None
        if not self._ears.is_on or (number is not None and self._ears.real(number) == number):
            return None
        return self._ears.way(self._stream)

    def isatty(self) -> bool:
        return isatty(self._stream, self._ears)

    def fileno(self) -> int:
        return self._ears.real(self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def isatty(stream: TextIO, ears: Ears) -> bool:
    """What the stream would say of itself without a detour."""
    number = _fileno(stream)
    real = number if number is None else ears.real(number)
    return stream.isatty() if real is None or real == number else os.isatty(real)


def _fileno(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None
