"""Orderly: work that a signal ends, and the putting in order after it, which no signal ends."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from penstock.runtime.stopping import Terminated

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_NOBODYS: Final = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}
"""What must be in place for a signal to be taken over; else it is somebody's own."""


class Orderly:
    """Around both. In it, `with orderly.work:` is what a signal ends, by raising
    `KeyboardInterrupt` or `Terminated`; outside of that it waits for the end of it all.

    In another thread than the main one, which hears no signals, this does nothing.
    """

    def __init__(self) -> None:
        self.work = Work()
        self._taken: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number, nobodys in _NOBODYS.items():
                if signal.getsignal(number) == nobodys:
                    self._taken[number] = nobodys
                    signal.signal(number, self.work.hear)
            self.work.listen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, before in self._taken.items():
            signal.signal(number, before)
        self.work.leave()
        if kind is None:
            self.work.check()


class Work:
    """The part that a signal ends. Only the first one raises: what follows is putting in order."""

    def __init__(self) -> None:
        self._is_open = False
        self._heard = 0
        self._raised: BaseException | None = None
        self._hook: Any = None

    def __enter__(self) -> None:
        self._is_open = True
        self.check()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False

    def hear(self, number: int, frame: FrameType | None) -> None:
        """The handler."""
        self._heard = self._heard or number
        if self._is_open:
            self.check()

    def check(self) -> None:
        """Raise what was heard, if something was. Work of many parts asks between them: what is
        raised in a finalizer, which may run at any moment, Python does not let out of there."""
        if self._heard:
            self._is_open = False
            interrupt = self._heard == signal.SIGINT
            self._raised = KeyboardInterrupt() if interrupt else Terminated(self._heard)
            raise self._raised

    def listen(self) -> None:
        """Learn from now on what Python does not let out."""
        self._hook, sys.unraisablehook = sys.unraisablehook, self._kept_back

    def leave(self) -> None:
        """Not any more."""
        if sys.unraisablehook == self._kept_back:  # else somebody has come after us
            sys.unraisablehook = self._hook
        self._raised = None

    def _kept_back(self, what: UnraisableHookArgs) -> None:
        if what.exc_value is not None and what.exc_value is self._raised:
            self._is_open = True  # the work goes on, and is still to end
        else:
            self._hook(what)
