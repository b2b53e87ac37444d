"""The live line: on a terminal, what runs now and for how long, below what was printed.

It is one line without an end, drawn a few times a second by one thread and erased before anything
else is written. Nothing is drawn while somebody types, or behind a line that has no end yet.
"""

from __future__ import annotations

import builtins
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO

from penstock.runtime import terminal

FIRST: Final = 0.3
"""Seconds that steps must run before anything is drawn."""

EVERY: Final = 0.2
"""Seconds between two drawings."""

MOST: Final = 8
"""Steps that are named."""

ERASE: Final = "\r\x1b[K"


class Running:
    """The steps of one run that run now."""

    def __init__(self) -> None:
        self.total = 0
        self.done = 0
        self._since: dict[str, float] = {}

    def begin(self, step: str) -> None:
        self._since[step] = time.monotonic()

    def end(self, step: str) -> None:
        self.done += 1
        self._since.pop(step, None)

    def text(self, width: int) -> str:
        """As many steps as fit, the longest running first; empty if there is none."""
        now = time.monotonic()
        steps = [f"{step} {_clock(now - since)}" for step, since in list(self._since.items())]
        if not steps:
            return ""
        head = f"  {self.done}/{self.total}  "
        lines = [
            head + ", ".join(steps[:shown]) + (f" and {left} more" if left else "")
            for shown in range(min(len(steps), MOST), 0, -1)
            for left in [len(steps) - shown]
        ]
        fitting = next((line for line in lines if len(line) <= width), None)
        return fitting or lines[-1][: max(width - 1, 0)] + "…" * (width > 0)


class Screen:
    """The terminal that runs of this process are watched on."""

    def __init__(self) -> None:
        self.is_on = False
        """Whether something may be drawn: then everybody writes `above`."""
        self._stream: TextIO | None = None
        self._watched: tuple[Running, ...] = ()
        self._begin()

    def _begin(self) -> None:
        # Reentrant, because the handler of a signal may print in the midst of printing.
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._shown = ""
        self._is_writing = False
        self._paused = 0
        self._at_start = True
        """Whether the last line that was written has its end."""
        self._modes: Any = None
        self._input: Any = None

    def watch(self, running: Running, stream: TextIO) -> None:
        """Show what runs, until `leave`. Once more is as good as once."""
        if running in self._watched:
            return
        with self._lock:
            self._watched += (running,)
            if self._thread is None:
                self._stream = stream
                self._modes = self._terminal_modes()
                self._enter_input()
                self._wake = threading.Event()
                self._thread = threading.Thread(
                    target=self._live, args=(self._wake,), name="penstock-live", daemon=True
                )
                self._thread.start()

    def leave(self, running: Running) -> None:
        """The run is over; nothing is left of the line."""
        with self._lock:
            self._watched = tuple(item for item in self._watched if item is not running)
            if self._watched or self._thread is None:
                return
            self._hide()
            self._wake.set()
            self._thread, self._stream, self.is_on = None, None, False
            self._leave_input()

    @contextmanager
    def above(self, written: str | bytes) -> Iterator[None]:
        """Around the writing of this: the line is erased before."""
        with self._lock:
            if self._is_writing:
                yield
                return
            self._hide()
            self._is_writing = True
            try:
                yield
            finally:
                self._is_writing = False
                if written:
                    self._at_start = written[-1:] in ("\n", b"\n")

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Nothing is drawn meanwhile: somebody uses the terminal."""
        with self._lock:
            self._hide()
            self._paused += 1
        try:
            yield
        finally:
            with self._lock:
                self._paused -= 1
                self._at_start = True  # whoever types ends the line

    def forked(self) -> None:
        """In a child: the thread is not there, and the terminal is the parent's."""
        self._leave_input()
        self.__init__()  # type: ignore[misc]

    def _live(self, over: threading.Event) -> None:
        if over.wait(FIRST):
            return
        with self._lock:
            if over.is_set():
                return
            self.is_on = True
        while not over.wait(EVERY):
            with self._lock, suppress(OSError, ValueError):  # a terminal that has gone
                if not over.is_set():
                    self._draw()

    def _draw(self) -> None:
        assert self._stream is not None
        if self._paused or not self._at_start or self._is_used():
            return
        text = next(filter(None, (item.text(self._width()) for item in self._watched)), "")
        if not text:
            self._hide()
        elif text != self._shown:
            # The cursor stays in front of it: what passes us by writes over the line.
            self._write(f"\r{terminal.fitting(text, self._stream)}\x1b[K\r")
            self._shown = text

    def _hide(self) -> None:
        if self._shown:
            self._shown = ""
            with suppress(OSError, ValueError):
                self._write(ERASE)

    def _write(self, text: str) -> None:
        self._is_writing = True
        try:
            assert self._stream is not None
            self._stream.write(text)
            self._stream.flush()
        finally:
            self._is_writing = False

    def _width(self) -> int:
        """One less than there are columns: a full line would wrap on some terminals."""
        assert self._stream is not None
        try:
            return os.get_terminal_size(self._stream.fileno()).columns - 1
        except (OSError, ValueError):
            return 79

    def _is_used(self) -> bool:
        """Whether a debugger, an editor or a prompt has the terminal, or another job of a shell."""
        return bool(self._terminal_modes() != self._modes)

    def _terminal_modes(self) -> Any:
        """Whether letters are shown and lines are waited for, and whose turn it is."""
        import termios  # not on every system, and only for terminals

        assert self._stream is not None
        try:
            number = self._stream.fileno()
            flags = termios.tcgetattr(number)[3] & (termios.ECHO | termios.ICANON)
            return flags, os.tcgetpgrp(number)
        except (OSError, ValueError, termios.error):
            return None

    def _enter_input(self) -> None:
        """Without a line editor, `input` waits with the terminal as it always is."""
        real = builtins.input

        def waiting(prompt: object = "", /) -> str:
            with self.pause():
                return real(prompt)

        self._input = (real, waiting)
        builtins.input = waiting

    def _leave_input(self) -> None:
        if self._input is not None:
            real, ours = self._input
            self._input = None
            if builtins.input is ours:  # else somebody has put their own there
                builtins.input = real


screen: Final = Screen()

os.register_at_fork(after_in_child=screen.forked)


def _clock(seconds: float) -> str:
    """Whole seconds, so that the line changes no more often than people read."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
