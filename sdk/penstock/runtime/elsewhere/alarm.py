"""Alarm: the timeout of a step in a pod, where nobody above would end its process.

It runs in the main thread: a signal calls it out of what sleeps or waits. If it does not come back
within some seconds it has to go with its process.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from inspect import CO_COROUTINE
from types import FrameType, TracebackType
from typing import Any, Final

from penstock.errors import StepTimeout
from penstock.model.graph import Call
from penstock.runtime.capturing import capture
from penstock.runtime.deadline import LATE, too_long
from penstock.runtime.stopping import Stopped, strike, take_back

AGAIN: Final = 1.0
"""Seconds after which it is called out once more: it may be tidying up."""

LAST: Final = 10.0
"""Seconds for the last records, and for the hook that is told of them."""

STUCK: Final = 3.0
"""Seconds beyond that after which it is certain that no Python runs here any more: a call in C
keeps the interpreter for itself. The process ends without a record."""

EVER: Final = 1e9
"""Seconds that no process lives: not all clocks count so far."""

CALLED_OUT: Final = "It was interrupted in what it did. If it needs more time, raise the timeout."


class Alarm:
    """Around the call of a step's function, in the main thread."""

    def __init__(
        self, step: str, seconds: float, grace: float, kill: Callable[[StepTimeout], object]
    ) -> None:
        """`kill` writes down what became of the step if it does not come back, and ends the
        process."""
        self._step = step
        self._seconds = seconds
        self._wait = seconds + grace
        self._kill = kill
        self._process = os.getpid()
        self._thread = threading.get_ident()
        self._over = threading.Event()
        self.is_over = False
        """Whether the step has had its time."""
        self._watcher = threading.Thread(target=self._watch, name="penstock-alarm", daemon=True)

    def __enter__(self) -> None:
        if signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:  # else it is the user's
            # It stays: a signal that comes too late would end the process.
            signal.signal(signal.SIGALRM, _ring)
        _end_in(self._wait + LATE + STUCK)
        self._watcher.start()
        _on.append(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if os.getpid() != self._process:  # which the step has forked: no thread of ours is here
            return
        while self in _on:
            try:
                self._end()
            except Stopped:  # the step had just come back
                continue
        if self.is_over:
            with suppress(Stopped):
                take_back(self._thread)
            where = _without_us(traceback) if isinstance(error, Stopped) else None
            found = too_long(self._step, self._seconds, hint=CALLED_OUT)
            raise found.with_traceback(where) from None

    def _end(self) -> None:
        self._over.set()
        self._watcher.join()  # for good, if it has begun to end the process
        faulthandler.cancel_dump_traceback_later()
        _on.remove(self)

    def _watch(self) -> None:
        if self._over.wait(self._wait):
            return
        self.is_over = True
        until = time.monotonic() + LATE
        while time.monotonic() < until:
            self._strike()
            if self._over.wait(AGAIN):
                return
        _end_in(LAST)
        found = too_long(self._step, self._seconds, killed=True)
        self._kill(found.with_traceback(_down_to(sys._current_frames().get(self._thread))))

    def _strike(self) -> None:
        """Have `Stopped` raised in the step, out of what it waits for if there is a way."""
        if signal.getsignal(signal.SIGALRM) is _ring:
            signal.pthread_kill(self._thread, signal.SIGALRM)
        else:
            strike(self._thread)


def limit(call: Call, kill: Callable[[Call, StepTimeout], object]) -> AbstractContextManager[None]:
    """Around the call of a step's function: its timeout."""
    seconds = call.step.options.timeout
    if seconds is None or seconds > EVER:
        return nullcontext()
    function: Any = call.step.function
    # Who awaits is stopped by asyncio; this is for who never does.
    grace = 0.5 * bool(function.__code__.co_flags & CO_COROUTINE)
    return Alarm(call.id, seconds, grace, lambda error: kill(call, error))


_on: Final[list[Alarm]] = []
"""What is around the step that runs."""


def _ring(number: int, frame: FrameType | None) -> None:
    """Raise it in what the step does, not in what is ours; if it is too early, there is another."""
    leaves = frame is not None and frame.f_code is Alarm.__exit__.__code__
    if any(alarm.is_over for alarm in _on) and not leaves:
        raise Stopped


def _end_in(seconds: float) -> None:
    """Have the process end after this time, whatever goes on in Python, with a word on where it
    was. Only the last that is said counts."""
    real = capture.beside(sys.__stderr__ or sys.stderr).fileno()
    faulthandler.dump_traceback_later(seconds, exit=True, file=real)


def _without_us(traceback: TracebackType | None) -> TracebackType | None:
    """Where it was, without the handler of the signal."""
    last = traceback
    while last is not None and (deeper := last.tb_next) is not None:
        if deeper.tb_frame.f_code is _ring.__code__:
            last.tb_next = None
        last = last.tb_next
    return traceback


def _down_to(frame: FrameType | None) -> TracebackType | None:
    """Where a thread is, as if it had raised something there."""
    found: TracebackType | None = None
    while frame is not None:
        found = TracebackType(found, frame, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return found
