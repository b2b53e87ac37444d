"""Signals: what becomes of them while a run goes on that was launched in the main thread.

Ctrl-C stays what it is, a `KeyboardInterrupt`. SIGTERM and SIGHUP, if they are nobody's, raise
`Terminated`. Each of them is also written to a pipe, by Python's own handler in C: so that another
thread learns of it while the main thread sleeps in a call that never comes back.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

from penstock.runtime.stopping import Stopped, Terminated

OURS: Final = (signal.SIGTERM, signal.SIGHUP)


_fork = threading.local()
"""Which signals a thread that forks had blocked before."""


class Signals:
    """What is in place, once for all runs of the main thread, which may stand in one another."""

    def __init__(self) -> None:
        self._depth = 0
        self._pipe = -1
        self._nobodys: list[Any] = [signal.SIG_DFL]
        self._taken: dict[int, Any] = {}
        """Signals that were nobody's, and what became of them before."""
        self._theirs: dict[int, Callable[[int, FrameType | None], Any]] = {}
        """The user's own handlers."""
        self._interrupts = False
        """Whether Ctrl-C raises `KeyboardInterrupt`."""
        self._heard = False
        """Whether Python writes to our pipe, and not to somebody else's."""
        self._raised = self._quiet = self._deferring = False
        self._waiting: int | None = None
        self._called = self._expected = False

    def regard(self, handler: Callable[[int, FrameType | None], Any]) -> None:
        """A handler of ours that ends the process, as what is nobody's does."""
        self._nobodys.append(handler)

    def begin(self, pipe: int) -> None:
        """Put ours in place. `pipe` is where the numbers of signals are written."""
        self._depth += 1
        if self._depth > 1:
            return
        self._pipe = pipe
        self._interrupts = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        before = signal.set_wakeup_fd(pipe, warn_on_full_buffer=False)
        self._heard = before == -1
        if not self._heard:
            signal.set_wakeup_fd(before)
        for number in (signal.SIGINT, *OURS):
            self._take(number)

    def _take(self, number: int) -> None:
        found = signal.getsignal(number)
        if found in self._nobodys:
            self._taken[number] = found
            signal.signal(number, self._terminate)
        elif callable(found) and found is not signal.default_int_handler:
            self._theirs[number] = found
            signal.signal(number, self._pass_on)

    def end(self) -> None:
        """Put everything back as it was."""
        if not self._depth:  # in a child, which has left the parent's runs
            return
        self._depth -= 1
        self._quiet = False
        self._put_back(self._ignore, signal.SIGINT, signal.default_int_handler)
        if self._depth:
            return
        for number, before in self._taken.items():
            self._put_back(self._terminate, number, before)
        for number, handler in self._theirs.items():
            self._put_back(self._pass_on, number, handler)
        if self._heard:
            after = signal.set_wakeup_fd(-1)
            if after != self._pipe:  # somebody has taken it meanwhile
                signal.set_wakeup_fd(after)
        self._taken.clear()
        self._theirs.clear()
        self._interrupts = self._heard = self._raised = self._called = self._expected = False

    def before_fork(self) -> None:
        """Hold signals back: one that reaches the child too early would be felt by nobody."""
        if self._depth:
            _fork.mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, *OURS))

    def after_fork(self) -> None:
        """In the parent, and in the child when it has put everything back."""
        mask = getattr(_fork, "mask", None)
        _fork.mask = None
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def forked(self) -> None:
        """In a child: the parent's runs are not the child's, and signals are as they were."""
        self._put_back(self._remember, signal.SIGINT, signal.default_int_handler)
        self._depth = min(self._depth, 1)
        self.end()
        nobodys = self._nobodys
        self.__init__()  # type: ignore[misc]
        self._nobodys = nobodys
        self.after_fork()

    def concerns(self, number: int) -> bool:
        """Whether this signal asks for the end of runs."""
        return self._interrupts if number == signal.SIGINT else number in self._taken

    def call(self) -> bool:
        """Have the main thread raise an error even out of a call that sleeps, if there is a way.

        For other threads; the error is `Stopped`, or what Ctrl-C raises.
        """
        number = next(iter(self._taken), signal.SIGINT)
        if not self.concerns(number):
            return False
        self._expected, self._called = True, number != signal.SIGINT
        signal.pthread_kill(threading.main_thread().ident or 0, number)
        return True

    def was_called(self) -> bool:
        """Whether a number in the pipe is there because of `call`. To be asked once for each."""
        expected, self._expected = self._expected, False
        return expected

    def quiet(self) -> None:
        """From here to the end signals raise nothing: the run is being brought to its end.

        At a second one, whoever reads the pipe ends the process.
        """
        if self._reads_for_us():
            self._quiet = True
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                signal.signal(signal.SIGINT, self._ignore)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """What is done here is done wholly: a signal raises what it raises at the end of it."""
        if not self._reads_for_us():
            yield
            return
        interrupts = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        self._deferring = True
        try:
            if interrupts:
                signal.signal(signal.SIGINT, self._remember)
            yield
        finally:
            self._deferring = False
            if interrupts:
                signal.signal(signal.SIGINT, signal.default_int_handler)
        number, self._waiting = self._waiting, None
        if number is not None:
            raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)

    def tell(self, number: int) -> None:
        """Write to the pipe, where Python does not."""
        if self._depth and not self._heard:
            with suppress(OSError):
                os.write(self._pipe, bytes([number]))

    def _reads_for_us(self) -> bool:
        """Whether this is the main thread, and a signal is noticed also if it raises nothing."""
        return self._heard and threading.current_thread() is threading.main_thread()

    @staticmethod
    def _put_back(ours: object, number: int, before: Any) -> None:
        if signal.getsignal(number) == ours:
            signal.signal(number, before)

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self.tell(number)
        called, self._called = self._called, False
        if self._quiet:
            return
        if called:
            if not self._deferring:
                raise Stopped
        elif self._deferring:
            self._remember(number, frame)
        elif not (self._raised and self._heard):
            self._raised = True
            raise Terminated(number)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """The user's own handler decides. If it ends the process, no step has."""
        try:
            self._theirs[number](number, frame)
        except SystemExit as error:
            raise Terminated(number, 0 if error.code is None else error.code) from None

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self._waiting = self._waiting or number

    def _ignore(self, number: int, frame: FrameType | None) -> None:
        """The second one, which ends the process before long."""


in_place: Final = Signals()
