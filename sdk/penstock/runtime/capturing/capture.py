"""Capture: what is printed and logged in a run reaches the log of the step that says it.

For the length of a run `sys.stdout` and `sys.stderr` are wrapped, descriptors 1 and 2 lead to files
that are read at once, the root logger has one more handler, and threads are noted when they start.
What no step is known for belongs to the step that runs, or to the run if several do.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from penstock.runtime.capturing import python_hooks
from penstock.runtime.capturing.handlers import Handlers
from penstock.runtime.capturing.proxies import Beside, Proxy
from penstock.runtime.capturing.pump import Pump
from penstock.runtime.capturing.speech import Voice
from penstock.runtime.capturing.stage import Stage, current
from penstock.runtime.logs import StepLog
from penstock.runtime.stopping import Stopped

_stage = Stage()


class _Capture:
    """What is wrapped, once for all runs of this process that overlap."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._lock = threading.RLock()
        self._runs: list[Voice] = []
        self._is_wrapped = False
        self._handlers = Handlers(stage)
        self._starts = python_hooks.Starts(stage)
        self._breakpoint = python_hooks.Breakpoint(self.uncover)
        self._crashes = python_hooks.Crashes()
        self._pump = Pump(stage.catch_up)

    def begin(self, run: Voice) -> None:
        with self._lock:
            self._stage.begin(run)
            self._runs.append(run)
            if not self._is_wrapped:
                self._is_wrapped = True
                self._wrap()

    def end(self, run: Voice) -> None:
        """May be called again if something was raised in its midst."""
        with self._lock:
            self._stage.end(run)
            self._runs = [each for each in self._runs if each is not run]
            if not self._runs and self._is_wrapped:
                self._unwrap()
                self._is_wrapped = False

    def _wrap(self) -> None:
        self._stage.hearing.begin()
        if self._stage.hearing.is_on:
            self._crashes.begin(self._stage.hearing.real(2))
            self._pump.start()
        self._stage.wrap()
        self._handlers.begin()
        self._starts.begin()
        self._breakpoint.begin()

    def _unwrap(self) -> None:
        self._breakpoint.end()
        self._starts.end()
        self._handlers.end()
        self._stage.unwrap()
        self.uncover()
        self._stage.hearing.close()

    def uncover(self) -> None:
        """The standard descriptors are the real ones again, until no run is on any more."""
        with self._lock:
            if self._stage.hearing.is_on:
                self._pump.stop()
                self._crashes.end()
                self._stage.hearing.end()

    def forked(self) -> None:
        """In a child: no lock is held here by a thread that is not."""
        self._lock = threading.RLock()
        self._pump.forked()
        self._stage.forked()


_capture = _Capture(_stage)


os.register_at_fork(before=_stage.before_fork, after_in_child=_capture.forked)


@contextmanager
def captured(run_log: StepLog) -> Iterator[None]:
    """Wrap the standard streams and the root logger for the length of a run."""
    voice = Voice(run_log, _stage, current.get())
    _capture.begin(voice)
    token = current.set(voice)
    try:
        yield
    finally:
        current.reset(token)
        _wholly(_capture.end, voice)
        run_log.close()


def _wholly(end: Callable[[Voice], None], voice: Voice) -> None:
    """Without the standard streams the process could not even end."""
    while True:
        try:
            end(voice)
        except Stopped:
            continue
        return


def leave_out() -> None:
    """What this thread says from here on is no run's, unless it carries one out itself."""
    _stage.leave_out(threading.current_thread())


def into(log: StepLog) -> contextvars.Token[Voice | None]:
    """From here on, in this thread, what is printed belongs to this step."""
    voice = Voice(log, _stage, current.get())
    token = current.set(voice)
    _stage.enter(voice)
    return token


def back(token: contextvars.Token[Voice | None]) -> None:
    """Undo `into`."""
    voice = current.get()
    current.reset(token)
    if voice is not None:
        _stage.leave(voice)


def beside(stream: TextIO) -> TextIO:
    """The real stream under a wrapped one: for what is said about steps, not by them."""
    real = stream.stream if isinstance(stream, Proxy) else stream
    return cast(TextIO, Beside(real, _stage.hearing))
