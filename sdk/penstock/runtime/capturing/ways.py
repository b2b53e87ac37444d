"""Ways: how text gets to a real stream. A way may end, and nothing fails because of that."""

from __future__ import annotations

import codecs
import io
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TextIO

from penstock.runtime.live import screen


class Way(ABC):
    """To one real stream, for text that is encoded in UTF-8."""

    line_buffering: bool = False
    """Whether a line is seen as soon as it ends."""
    write_through: bool = False
    """Whether everything is seen at once."""

    def __init__(self) -> None:
        # Reentrant, because the handler of a signal may print in the midst of printing.
        self.lock = threading.RLock()
        self._is_gone = False

    def send(self, data: bytes) -> None:
        """Write all of it. What fails once is not tried again: the log has the text anyway."""
        with screen.above(data) if screen.is_on else self.lock, self.lock:
            if not self._is_gone:
                self._try(self._put, data)

    def flush(self) -> None:  # noqa: B027 - nothing waits in most of them
        """What the user asks for."""

    def line_ends(self) -> None:  # noqa: B027
        """What a stream that is buffered by lines does at their end."""

    def forked(self) -> None:
        """In a child: the lock may be held by nobody."""
        self.lock = threading.RLock()

    @abstractmethod
    def _put(self, data: bytes) -> None: ...

    def _try(self, act: Callable[..., object], *arguments: bytes) -> None:
        try:
            act(*arguments)
        except RuntimeError:  # by the handler of a signal, in the midst of a write: only this once
            return
        except Exception:  # full, closed, gone; or a stream of the user's own that is broken
            self._is_gone = True


class ToDescriptor(Way):
    """Straight to a file descriptor."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self.descriptor, rest) :]
            except BlockingIOError:
                import select  # not needed anywhere else: few terminals do not wait

                select.select([], [self.descriptor], [])

    def close(self) -> None:
        """The descriptor may soon be another file's."""
        with self.lock:
            self._is_gone = True


class Along(Way):
    """Along another way, in the encoding and with the buffering of a stream that leads there."""

    def __init__(self, way: Way, stream: TextIO) -> None:
        super().__init__()
        self._way = way
        self._text = _Text(stream)
        self.line_buffering, self.write_through = _buffering(stream)

    def _put(self, data: bytes) -> None:
        self._way.send(self._text.encoded(data))


class ToBuffer(Way):
    """To the bytes under a text stream that only encodes what it is given."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._text = _Text(stream)
        self.line_buffering, self.write_through = _buffering(stream)
        self._try(stream.flush)

    def _put(self, data: bytes) -> None:
        self._stream.buffer.write(self._text.encoded(data))
        if self.write_through:
            self._stream.flush()

    def flush(self) -> None:
        with self.lock:
            if not self._is_gone:
                self._try(self._stream.flush)

    line_ends = flush


class ToText(Way):
    """To any other stream, for example a notebook's. Whether lines wait is its own affair.

    It may lead to a standard descriptor in the end; `unheard` is entered meanwhile.
    """

    line_buffering = True

    def __init__(self, stream: TextIO, unheard: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__()
        self._stream = stream
        self._unheard = unheard
        self._text = _Text(stream)

    def _put(self, data: bytes) -> None:
        with self._unheard():
            self._stream.write(self._text.decoded(data))

    def flush(self) -> None:
        with self.lock:
            if not self._is_gone:
                self._try(self._stream.flush)


class ToNowhere(Way):
    """Where there is no real stream: what is said is in the log."""

    def _put(self, data: bytes) -> None:
        return


class Nowhere(io.TextIOBase):
    """A standard stream that Python does not have: it was closed before Python started."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


def only_encodes(stream: TextIO) -> bool:
    """Whether text for this stream may as well be given to its buffer."""
    return isinstance(stream, io.TextIOWrapper) and type(stream).write is io.TextIOWrapper.write


def _buffering(stream: TextIO) -> tuple[bool, bool]:
    assert isinstance(stream, io.TextIOWrapper)
    return stream.line_buffering, stream.write_through


class _Text:
    """Text in the encoding of a stream, with escapes for what it cannot hold."""

    def __init__(self, stream: TextIO) -> None:
        encoding = getattr(stream, "encoding", None)
        self._encoding = encoding if isinstance(encoding, str) else "utf-8"
        self._is_utf8 = codecs.lookup(self._encoding).name == "utf-8"
        # A part may end in the midst of a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def encoded(self, data: bytes) -> bytes:
        if self._is_utf8:
            return data
        return self._decoder.decode(data).encode(self._encoding, "backslashreplace")

    def decoded(self, data: bytes) -> str:
        text = self._decoder.decode(data)
        if self._is_utf8:
            return text
        return text.encode(self._encoding, "backslashreplace").decode(self._encoding)
