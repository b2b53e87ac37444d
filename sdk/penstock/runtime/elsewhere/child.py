"""Child: a process of ours on this machine, what it says, and its end."""

from __future__ import annotations

import codecs
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from penstock.runtime import masking
from penstock.runtime.capturing import capture
from penstock.runtime.capturing.testament import testaments
from penstock.runtime.deadline import LATE
from penstock.runtime.masking import Mask

TICK: Final = 0.1
"""Seconds until an error that another thread has raised here is felt."""

STOPPING: Final = 3.0
"""Seconds that it has to write its record when it is stopped."""

LAST: Final = 1.0
"""Seconds for what it has said before its end; those whom it left behind may go on for ever."""

KEPT: Final = 20
"""Lines that are remembered of what it says."""

LEFT: Final = 200
"""Lines that are remembered at its end, with what it did not live to say: nobody else has them."""


class Child:
    """A process that runs a step. Its standard output and error appear on ours, line by line.

    It tells us through a pipe: `begin SECONDS` when a step with a timeout begins, `end` when that
    is over, `done` when what happened is in the store.
    """

    def __init__(
        self,
        argv: Callable[[int, Sequence[int]], Sequence[str]],
        environment: Mapping[str, str],
        mask: Mask = masking.NOTHING,
        inherited: Sequence[int] = (),
    ) -> None:
        """`argv` is made for the number of the pipe's descriptor, and those of its testaments;
        `inherited` are others that it gets. Raises `OSError`."""
        self.is_done = False
        """Whether it has told the end of its story."""
        self.overdue = 0.0
        """The timeout that it was killed for, if it was."""
        self.last_lines: deque[str] = deque(maxlen=KEPT)
        """Of what it said."""
        self._deadline = float("inf")
        self._timeout = 0.0
        self._mask = mask
        reading, writing = os.pipe()
        self._testaments = testaments()
        left = [number for each in self._testaments for number in each.numbers]
        try:
            self._process = subprocess.Popen(
                argv(writing, left), env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                pass_fds=(writing, *left, *inherited),
                # Ctrl-C is for us; and nobody asks a terminal that somebody else is reading.
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(reading)
            for testament in self._testaments:
                testament.close()
            raise
        finally:
            os.close(writing)
            for testament in self._testaments:
                testament.hand_over()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._said = [Lines(_to(name), self._remember) for name in ("stdout", "stderr")]
        self._open = {
            self._process.stdout.fileno(): self._said[0],
            self._process.stderr.fileno(): self._said[1],
            reading: Lines(self._told),
        }
        self._tells = reading
        self._poll = select.poll()
        for end in self._open:
            self._poll.register(end, select.POLLIN)

    def wait(self) -> int:
        """Its exit code; negative for a signal. What is raised meanwhile in this thread ends it."""
        try:
            while (code := self._process.poll()) is None:
                self._listen(TICK)
                self._end_if_overdue()
        except BaseException:
            self._stop()
            raise
        finally:
            self._close()
        return code

    def _end_if_overdue(self) -> None:
        if time.monotonic() > self._deadline:
            self.overdue = self._timeout
            self._kill()

    def _stop(self) -> None:
        """Ask it to end, and see that it does."""
        try:
            self._process.terminate()
            until = time.monotonic() + STOPPING
            while self._process.poll() is None and time.monotonic() < until:
                self._listen(TICK)
        finally:  # also if somebody cannot wait for that
            self._kill()
            self._process.wait()

    def _kill(self) -> None:
        """End it at once, with all that it has started and that is still there."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _listen(self, seconds: float) -> bool:
        """Hand on what it says, if it says something within this time."""
        found = self._poll.poll(seconds * 1000)
        for end, _ in found:
            if data := os.read(end, 65536):
                self._open[end].take(data)
            else:
                self._open.pop(end).finish()
                self._poll.unregister(end)
        if not found:
            for lines in self._said:
                lines.let_go()
            if not self._open:  # it has closed everything, and goes on
                time.sleep(seconds)
        return bool(found)

    def _close(self) -> None:
        until = time.monotonic() + LAST
        try:
            while self._open and time.monotonic() < until and self._listen(0):
                continue
            for lines in self._open.values():
                lines.finish()
            self._read_testaments()
        finally:  # also if this thread is struck meanwhile: it is to stop, or has taken too long
            os.close(self._tells)
            for stream in (self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()

    def _read_testaments(self) -> None:
        """Hand on what was written in it and not read there. Nobody has masked that."""
        self.last_lines = deque(self.last_lines, LEFT)
        for testament, lines in zip(self._testaments, self._said, strict=False):
            masked = self._mask.stream()
            for data in testament.rest():
                lines.take(masked.feed(data))
            lines.take(masked.rest())
            lines.finish()
            testament.close()

    def _remember(self, line: str) -> None:
        self.last_lines.append(line)

    def _told(self, line: str) -> None:
        word, _, number = line.strip().partition(" ")
        self.is_done = self.is_done or word == "done"
        self._deadline = float("inf")
        if word == "begin":
            self._timeout = float(number)
            self._deadline = time.monotonic() + self._timeout + LATE


class Lines:
    """Bytes as they come, handed on in whole lines; what has no end yet waits for it a moment."""

    def __init__(self, *hand_on: Callable[[str], object]) -> None:
        self._hand_on = hand_on
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._begun = ""

    def take(self, data: bytes) -> None:
        text = self._begun + self._decoder.decode(data)
        end = text.rfind("\n") + 1
        self._begun = text[end:]
        self._tell(text[:end])

    def let_go(self) -> None:
        """Hand on a line that has not ended: somebody may want to see it."""
        text, self._begun = self._begun, ""
        self._tell(text)

    def finish(self) -> None:
        """Nothing follows."""
        self._begun += self._decoder.decode(b"", final=True)
        self.let_go()

    def _tell(self, text: str) -> None:
        for line in text.splitlines(keepends=True):
            for hand_on in self._hand_on:
                hand_on(line)


def _to(name: str) -> Callable[[str], None]:
    """To our own stream of that name, past the logs: the other process writes its own."""

    def write(text: str) -> None:
        if (stream := getattr(sys, name)) is None:
            return
        real = capture.beside(stream)
        encoding = getattr(real, "encoding", None) or "utf-8"
        # What cannot be shown, or nobody reads any more, stops no step.
        with suppress(OSError, ValueError):
            real.write(text.encode(encoding, "backslashreplace").decode(encoding))
            real.flush()

    return write
