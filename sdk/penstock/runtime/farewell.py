"""Farewell: what the exit of the interpreter means for runs that go on in the background."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from types import FrameType
from typing import Final, Protocol

from penstock.errors import RunFailed
from penstock.runtime import terminal
from penstock.runtime.signals import OURS, in_place
from penstock.runtime.stopping import SAME, Terminated, said

GRACE: Final = 6.0
"""Seconds in which a run that is told to stop has written that down."""


class Unattended(Protocol):
    """A run in the background."""

    run: str
    error: BaseException | None
    stop: Callable[[str], object]

    def wait(self, timeout: float | None = None) -> bool: ...


class Farewell:
    """Waits for the runs of this process, and says so; tells of errors that nobody has heard of."""

    def __init__(self) -> None:
        self._going: dict[str, Unattended] = {}
        self._unheard: dict[str, Unattended] = {}
        self._is_registered = False
        self._died_of = 0
        """The signal that has ended the program's own code, if one did."""
        self._signalled = -SAME
        """When it came, by the monotonic clock."""

    def begin(self, run: Unattended) -> None:
        """Wait for this one, too."""
        if not self._is_registered:
            self._is_registered = True
            # The last one registered is called first. A step may ask for a thread of this module's
            # until the very end, so that its own farewell must come after ours.
            import concurrent.futures.thread  # noqa: F401  # slow, and only for such runs

            threading._register_atexit(self._wait)  # type: ignore[attr-defined]
            in_place.regard(self._terminate)
        if threading.current_thread() is threading.main_thread():
            for number in OURS:
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, self._terminate)
        self._going[run.run] = run

    def end(self, run: Unattended) -> None:
        """It is over."""
        if isinstance(run.error, Exception):
            self._unheard[run.run] = run
        self._going.pop(run.run, None)

    def forget(self, run: Unattended) -> None:
        """Its error is known."""
        self._unheard.pop(run.run, None)

    def forked(self) -> None:
        """In a child, which has none of the threads."""
        self._going.clear()
        self._unheard.clear()

    def _wait(self) -> None:
        died_of = self._died_of
        if getattr(sys, "last_type", None) is KeyboardInterrupt:  # nobody has caught it
            died_of = signal.SIGINT
        try:
            for run in () if died_of else list(self._going.values()):
                _say(f"waiting for run {run.run} (Ctrl-C stops it)")
                run.wait()
        except KeyboardInterrupt:
            died_of = signal.SIGINT
        except Terminated as error:
            died_of = error.number
        if died_of:
            self._stop(list(self._going.values()), said(died_of))
        for run in self._unheard.values():
            _tell(run.error)
        if died_of:
            _die(died_of)

    def _stop(self, runs: Collection[Unattended], why: str) -> None:
        with suppress(KeyboardInterrupt, Terminated):  # a second one: they are left alone
            for run in runs:
                run.stop(why)
            for run in runs:
                run.wait(GRACE)

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        """SIGTERM and SIGHUP end the process, and the runs of the background before it."""
        if not self._going:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        now, before = time.monotonic(), self._signalled
        self._died_of, self._signalled = number, now
        if now - before > SAME:
            raise Terminated(number)


farewell: Final = Farewell()

os.register_at_fork(after_in_child=farewell.forked)


def _die(number: int) -> None:
    """End the process as this signal does it, so that whoever called it knows."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _tell(error: BaseException | None) -> None:
    """The user's frames and the message, as a command line tells them."""
    import traceback  # only when something is wrong

    shown = error.telling if isinstance(error, RunFailed) else error
    if shown is not None:
        _say("".join(traceback.format_exception(shown)).rstrip("\n"))
    if shown is not error:
        _say(f"Error: {error}")


def _say(text: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            terminal.write(f"{text}\n", sys.stderr)
