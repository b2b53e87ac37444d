"""Stopping: how a run learns that it is to end, and how the threads that carry it out do."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

from penstock.errors import RunCancelled

AGAIN: Final = 0.05
"""Seconds after which a thread that is still there is struck again."""

SAME: Final = 0.25
"""Seconds within which a signal that comes again is the same one: `timeout` and others send it to
a process and then to its group."""

CTRL_C: Final = "Ctrl-C"
"""How SIGINT is called where people read of it."""


class Stopped(BaseException):
    """Raised where work is to end; no `except Exception` of the user's stops it."""

    def __str__(self) -> str:
        return "the run was stopped"


class Terminated(SystemExit):
    """What SIGTERM and SIGHUP raise in the main thread, as Ctrl-C raises `KeyboardInterrupt`."""

    def __init__(self, number: int, code: Any = None) -> None:
        super().__init__(128 + number if code is None else code)
        self.number = number

    def __str__(self) -> str:
        return said(self.number)


class Stop:
    """Whether one launch of a run is to stop, and why. The first reason counts."""

    def __init__(self) -> None:
        self.event = threading.Event()
        """Set when the run is to stop: whoever waits for anything else must wait for this, too."""
        self.why = ""
        self.at = 0.0
        """When it was asked for, by the monotonic clock."""
        self.number = 0
        """The signal that asked for it, if one did."""
        self.cancelled = False
        """Whether somebody asked for it from another process."""
        self.on_request: Callable[[], None] = _nothing
        self.on_interrupt: Callable[[type[BaseException]], None] = _nothing
        """Called in a thread whose work was ended by anything but an `Exception`."""
        self._lock = threading.Lock()
        self._reached: list[int] = []

    @property
    def requested(self) -> bool:
        """Whether it was asked for."""
        return self.event.is_set()

    def request(self, why: str, *, number: int = 0, cancelled: bool = False) -> None:
        """Ask for it: threads within reach are struck, waits end, no step begins."""
        with self._lock:
            if self.requested:
                return
            self.why, self.number, self.cancelled = why, number, cancelled
            self.at = time.monotonic()
            self.event.set()
        self.on_request()

    def reach(self) -> Reach:
        """Around work that may be struck: the user's own. Our records are written in peace."""
        return Reach(self)

    def strike(self, *, but: int | None = None) -> None:
        """Strike the threads within reach, `but` not this one, for which there are signals."""
        with self._lock:
            for thread in self._reached:
                if thread != but:
                    strike(thread)

    def instead(self, run: str, error: BaseException) -> BaseException:
        """What is raised of a run that this error ended: what the user knows, not how we do it."""
        if self.cancelled:
            return RunCancelled(f"Run {run} was {self.why}.")
        if not isinstance(error, Stopped) or not self.requested:
            return error
        term = self.number and self.number != signal.SIGINT
        return Terminated(self.number) if term else KeyboardInterrupt()


class Reach:
    """A stretch of a thread's work that may be struck."""

    __slots__ = ("_left", "_stop", "_thread")

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._thread = threading.get_ident()
        self._left = False

    def __enter__(self) -> None:
        if self._stop.requested:
            raise Stopped
        with self._stop._lock:
            self._stop._reached.append(self._thread)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while not self._left:
            try:
                self._leave()
            except Stopped:  # the work had just come to its end
                continue
        if kind is not None and is_end(kind):
            self._stop.on_interrupt(kind)

    def _leave(self) -> None:
        with self._stop._lock:
            if self._thread in self._stop._reached:
                self._stop._reached.remove(self._thread)
            if self._stop.requested and self._thread not in self._stop._reached:
                take_back(self._thread)  # what is not delivered yet
            self._left = True


def is_end(kind: type[BaseException]) -> bool:
    """Whether an error is about more than the step that raised it: a signal, Ctrl-C. The
    `sys.exit()` of a step ends the step."""
    own = issubclass(kind, SystemExit) and not issubclass(kind, Terminated)
    return not (own or issubclass(kind, Exception))


def said(number: int) -> str:
    """A signal as people know it."""
    return CTRL_C if number == signal.SIGINT else signal.Signals(number).name


def strike(thread: int) -> None:
    """Have `Stopped` raised in a thread at its next bytecode."""
    _raise_in(thread, Stopped)


def take_back(thread: int) -> None:
    """Undo a strike that has not been felt yet."""
    _raise_in(thread, None)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    import ctypes  # heavy, and only where something must end before its time

    what = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)


def _nothing(*told: object) -> None:
    """What happens where nobody is to be told."""
