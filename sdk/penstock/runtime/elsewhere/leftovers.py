"""Leftovers: what a step leaves behind in its worker, and whether the next one can come."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from penstock.runtime.fingerprints.libraries import is_project

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGUSR1)
"""Those for which a step may have a handler of its own."""

_STREAMS: Final = ("stdin", "stdout", "stderr")


class Leftovers:
    """What this process was like before its first step. The working directory is seen to by
    `Traces`, which says so."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._streams = {name: getattr(sys, name) for name in _STREAMS}
        self._known = set(threading.enumerate())
        self._state = _state()

    def expect(self, environment: Mapping[str, str]) -> None:
        """From here on, these are the variables."""
        self._environment = dict(environment)
        self.put_back()

    def put_back(self) -> None:
        """Variables and standard streams are again what they were."""
        if os.environ != self._environment:
            for name in os.environ.keys() - self._environment.keys():
                del os.environ[name]
            os.environ.update(self._environment)
        for name, stream in self._streams.items():
            setattr(sys, name, stream)

    def are_too_many(self) -> bool:
        """Whether something is left that cannot be put back, and that another step could feel."""
        return _state() != self._state or any(self._threads())

    def _threads(self) -> Iterator[threading.Thread]:
        """The threads in which code of the user's goes on. Those that libraries keep only wait."""
        frames = sys._current_frames()
        for thread in threading.enumerate():
            if thread in self._known or thread.name.startswith("penstock-"):
                continue
            if isinstance(thread, threading.Timer) or _is_users(frames.get(thread.ident or 0)):
                yield thread


def _is_users(frame: FrameType | None) -> bool:
    while frame is not None:
        if is_project(frame.f_globals.get("__name__") or "__main__"):
            return True
        frame = frame.f_back
    return False


def _state() -> list[Any]:
    """What only a new process puts right."""
    found: list[Any] = [signal.getsignal(number) for number in _SIGNALS]
    found.append(signal.getitimer(signal.ITIMER_REAL)[0] > 0)
    for number in (0, 1, 2):
        with suppress(OSError):  # closed
            stat = os.fstat(number)
            found.append((number, stat.st_dev, stat.st_ino))
    return found
