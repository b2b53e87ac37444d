"""Speech: what one step says on one stream, on its way into its log and to the real stream.

Text collects in a text wrapper, which is C: `print` is as fast as into a file. Python sees it in
chunks.
"""

from __future__ import annotations

import io
import threading
from contextlib import AbstractContextManager
from typing import Final, Protocol

from penstock.runtime.capturing.ways import Way
from penstock.runtime.flusher import flusher
from penstock.runtime.logs import StepLog

LONGEST: Final = 64 * 1024
"""Bytes of a line that are held back until it ends, while several steps speak at once."""


class Stage(Protocol):
    """Where the voices of this process meet."""

    is_alone: bool
    """Whether at most one step runs: nobody else's lines must be kept apart from its own."""

    def way(self, name: str) -> Way:
        """To the real stream of that name."""

    def hear(self) -> None:
        """Take what was written to the standard descriptors."""

    def slowly(self) -> AbstractContextManager[None]:
        """Meanwhile nothing is written to a wrapper but under the lock of its voice."""

    def changed(self) -> None:
        """A voice has a wrapper more."""

    def late(self, name: str, data: bytes) -> None:
        """Somebody wrote to a wrapper of a voice that is over."""


class Outlet:
    """The end of a speech: the log and the real stream, both without secrets."""

    def __init__(self, log: StepLog, way: Way) -> None:
        self._log = log
        self._way = way
        self._masked = log.mask.stream()
        self._held = b""

    def take(self, data: bytes, alone: bool) -> bool:
        """Add to the log and send on, whole lines only unless alone; whether the log is full."""
        data = self._masked.feed(data)
        is_full = self._log.add(data)
        if self._held:
            data = self._held + data
        end = len(data) if alone or len(data) > LONGEST else data.rfind(b"\n") + 1
        self._held = data[end:]
        if end:
            self._way.send(data[:end])
        return is_full

    def let_go(self) -> None:
        """Send on what is held back, though its line has not ended."""
        held, self._held = self._held, b""
        if held:
            self._way.send(held)

    def end(self) -> None:
        """Nothing follows."""
        self.take(self._masked.rest(), alone=True)


class Sink(io.BufferedIOBase):
    """What a text wrapper writes its chunks to."""

    def __init__(self, voice: Voice, name: str, way: Way) -> None:
        self.name = name
        self.way = way
        self.outlet = Outlet(voice.log, way)
        self.is_asked = False
        """Whether the user flushes, and not the wrapper because a line has ended."""
        self.is_dead = False
        """In a child: what waits in the wrapper is the parent's."""
        self._voice = voice

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if type(data) is not bytes:
            data = memoryview(data).tobytes()
        if not self.is_dead:
            self._voice.say(self, data)
        return len(data)

    def flush(self) -> None:
        if self.is_asked:
            self.outlet.let_go()
            self.way.flush()
        elif not self.is_dead:
            self.way.line_ends()


class Voice:
    """A step, or the run itself, that says something, on streams that are made when they are used.

    `outer` is who spoke here before: a step in which another run was started.
    """

    def __init__(self, log: StepLog, stage: Stage, outer: Voice | None) -> None:
        self.log = log
        self.outer = outer
        self.is_threaded = threading.current_thread() is not threading.main_thread()
        """Whether several threads speak: C would mix up the order of their chunks."""
        self.is_over = False
        self.lock = threading.RLock()
        self._stage = stage
        self.texts: dict[str, io.TextIOWrapper] = {}

    def is_around(self, voice: Voice | None) -> bool:
        """Whether that one speaks within this one, or is this one."""
        while voice is not None and voice is not self:
            voice = voice.outer
        return voice is self

    def text(self, name: str) -> io.TextIOWrapper:
        """What is to be written to in place of the real stream of that name."""
        if name not in self.texts:
            with self.lock:
                if name not in self.texts:
                    self.texts[name] = self._new(name)
            self._stage.changed()
        return self.texts[name]

    def _new(self, name: str) -> io.TextIOWrapper:
        way = self._stage.way(name)
        self.log.gather = self.settle
        flusher.watch(self.log)
        return io.TextIOWrapper(
            Sink(self, name, way),
            encoding="utf-8",
            errors="backslashreplace",
            newline="\n",
            line_buffering=way.line_buffering,
            write_through=way.write_through,
        )

    def say(self, sink: Sink, data: bytes) -> None:
        """Take a chunk. What was said before it comes before it, in the log at least."""
        if self.is_over:
            self._stage.late(sink.name, data)
            return
        with self.lock:
            self._stage.hear()
            if sink.name != "stdout":  # what is on stderr has not waited
                self._flush("stdout")
            is_full = sink.outlet.take(data, self._stage.is_alone)
        if is_full:
            self.log.flush()

    def flush(self, name: str) -> None:
        """What the user asks for: everything is to be seen now."""
        if name not in self.texts:  # nothing was said
            return
        with self.lock:
            text = self.text(name)
            sink = text.buffer
            assert isinstance(sink, Sink)
            sink.is_asked = True
            try:
                text.flush()
            finally:
                sink.is_asked = False

    def settle(self) -> None:
        """Bring what waits in the wrappers into the log. Any thread may do this."""
        if self.texts:
            with self._stage.slowly(), self.lock:
                for name in tuple(self.texts):
                    self._flush(name)

    def end(self) -> None:
        """From here on nothing is said by this one."""
        if self.texts:
            self.settle()
            with self.lock:
                self.is_over = True
                for text in self.texts.values():
                    if not text.closed:
                        text.buffer.outlet.end()  # type: ignore[attr-defined]
                        text.reconfigure(write_through=True)  # somebody may have kept its `write`
                self.texts = {}
                self.log.gather = None
        self.is_over = True

    def forked(self) -> None:
        """In a child: the locks may be held by nobody, and what waits is the parent's."""
        self.lock = threading.RLock()
        for text in self.texts.values():
            if not text.closed:
                text.buffer.is_dead = True  # type: ignore[attr-defined]
        self.texts = {}
        self.log.gather = None
        self.log.forked()

    def _flush(self, name: str) -> None:
        text = self.texts.get(name)
        if text is not None and not text.closed:
            text.flush()
