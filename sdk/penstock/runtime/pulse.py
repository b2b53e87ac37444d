"""The pulse: one thread that looks after all runs of this process, and sleeps while it can.

Every few seconds it has a run give a sign of life and see whether somebody has cancelled it. It
learns of signals when the main thread cannot, ends what does not end by itself, and ends the
process at the second signal.
"""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Final

from penstock.runtime.flusher import flusher
from penstock.runtime.signals import in_place
from penstock.runtime.stopping import AGAIN, CTRL_C, SAME, Stop, Stopped, said, strike, take_back

LOOK: Final = 2.0
"""Seconds between two looks at what others have written about a run."""

GRACE: Final = 4.0
"""Seconds that a run has to stop by itself."""

STRIKE: Final = 2.0
"""Seconds after which a thread that is still there is struck again; it may be tidying up."""

LAST: Final = 3.0
"""Seconds that the last records have when the process ends."""


class Work:
    """What goes on in this process and is to be stopped with it; begins and ends as a context."""

    def __init__(
        self,
        stop: Stop,
        look: Callable[[], None] | None,
        abandon: Callable[[], None],
        waits: Callable[[float], None] | None = None,
    ) -> None:
        """`look` is called every few seconds, and `abandon` if the work does not stop in time:
        it writes down what is there. Both in threads of their own: a store may be slow. `waits` is
        told for how many seconds a look has been going on that is not over when the next is due."""
        self.stop = stop
        self.thread = threading.get_ident()
        self.in_main = threading.current_thread() is threading.main_thread()
        self._look = look
        self._waits = waits
        self._looked_at = 0.0
        self._looking: threading.Thread | None = None
        self._next_look = time.monotonic() + LOOK if look else math.inf
        self._abandon = abandon
        self.goes_on = True
        self._abandoning: threading.Thread | None = None
        self.is_ending = self._is_left_alone = self._called = False
        self._next_strike = 0.0

    def __enter__(self) -> None:
        self.stop.on_interrupt = self._interrupted
        try:
            _pulse.begin(self)
        except BaseException:  # a signal, just now
            _pulse.end(self)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        interrupt = None
        while self.goes_on:
            try:
                with in_place.deferred():
                    _pulse.end(self)
            except Stopped:  # it had just come to its end
                continue
            except (KeyboardInterrupt, SystemExit) as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Around the work itself. If it is left by an error, it `ends` before anything is tidied
        up."""
        try:
            yield
        except BaseException:
            self.ends()
            raise

    def ends(self) -> None:
        """From here on, whoever began this is left alone: it tidies up and writes its last
        records."""
        while not self._is_left_alone:
            try:
                _pulse.leave_alone(self)
            except Stopped:  # it was on its way
                continue
        if self.in_main:
            in_place.quiet()

    def due(self, now: float) -> float:
        """Seconds until the next `tick`."""
        return AGAIN if self.stop.requested else max(self._next_look - now, 0.0)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.stop.requested:
            self._end(now)
        elif self._look is not None and now >= self._next_look:
            self._next_look = now + LOOK
            if self._looking is None or not self._looking.is_alive():
                self._looking, self._looked_at = _aside(self._look), now
            elif self._waits is not None:
                _aside(partial(self._waits, now - self._looked_at))

    def _end(self, now: float) -> None:
        """Strike who is within reach; who began the work only if it has not stopped in time."""
        if now >= self._next_strike:
            self._next_strike = now + STRIKE
            self.stop.strike(but=self.thread if self.in_main else None)
        if not self.stop.number and self.in_main and not self._called:
            self._called = True
            if not in_place.call():
                strike(self.thread)
        if now - self.stop.at < GRACE or self.is_ending:
            return
        if self._abandoning is None:
            self._abandoning = _aside(self._abandon)
        elif not self._abandoning.is_alive():
            if self.in_main and not self._called:
                self._called = in_place.call()
            strike(self.thread)

    def leave_alone(self) -> None:
        """Strike it no more, and take back what is on its way. Under the lock of the pulse."""
        self.is_ending = True
        take_back(self.thread)
        self._is_left_alone = True

    def finish(self) -> None:
        """Write down what is there: the process ends."""
        self._abandon()

    def _interrupted(self, kind: type[BaseException]) -> None:
        """The user's own code was left by something like Ctrl-C. Its like is not needed again in
        this thread, and the others are to end, too: there may have been no signal."""
        here = self.in_main and threading.get_ident() == self.thread
        if here:
            if kind is KeyboardInterrupt:
                in_place.tell(signal.SIGINT)
            in_place.quiet()
        if not issubclass(kind, SystemExit | Stopped):  # which there are only when it was asked for
            why = CTRL_C if kind is KeyboardInterrupt else kind.__qualname__
            self.stop.request(why, number=signal.SIGINT if here else 0)


class Pulse:
    """The thread, and all works that go on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._works: list[Work] = []
        self._thread: threading.Thread | None = None
        self._reader = self._writer = -1
        self._sleeps = True
        """Whether the thread has nothing due and must be woken."""
        self._signalled: float | None = None

    def begin(self, work: Work) -> None:
        """Look after a work from now on."""
        with self._lock:
            self._works.append(work)
            if self._thread is None:
                self._start()
            work.stop.on_request = self._wake
            if work.in_main:
                in_place.begin(self._writer)
            if self._sleeps:
                self._wake()

    def leave_alone(self, work: Work) -> None:
        """Strike it no more."""
        with self._lock:
            work.leave_alone()

    def end(self, work: Work) -> None:
        """Forget it."""
        with self._lock:
            if work in self._works:
                self._works.remove(work)
                if work.in_main:
                    in_place.end()
            if not any(each.in_main for each in self._works):
                self._signalled = None
            if work.stop.requested:
                take_back(work.thread)
            work.goes_on = False

    def forked(self) -> None:
        """In a child: the thread is not there, and the runs are the parent's."""
        reader, writer = self._reader, self._writer
        self.__init__()  # type: ignore[misc]
        in_place.forked()
        if reader != -1:
            os.close(reader)
            os.close(writer)

    def _start(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._thread = threading.Thread(target=self._live, name="penstock-pulse", daemon=True)
        self._thread.start()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # full: then it will wake up anyway
            os.write(self._writer, b"\0")

    def _live(self) -> None:
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        while True:
            if poll.poll(self._milliseconds()):
                for number in os.read(self._reader, 512):
                    self._heard(number)
            with self._lock:
                now = time.monotonic()
                for work in self._works:
                    work.tick(now)

    def _milliseconds(self) -> float | None:
        """How long there is nothing to do; None: until woken."""
        with self._lock:
            now = time.monotonic()
            wait = min((work.due(now) for work in self._works), default=math.inf)
            self._sleeps = wait == math.inf
            return None if self._sleeps else wait * 1000 + 1

    def _heard(self, number: int) -> None:
        """A signal: the first asks for the end of the runs that it is meant for, another one that
        of the process."""
        if not number or not in_place.concerns(number) or in_place.was_called():
            return
        now = time.monotonic()
        if self._signalled is not None and now - self._signalled > SAME:
            self._end_process(number)
        if self._signalled is None:
            self._signalled = now
            with self._lock:
                works = [w for w in self._works if w.in_main or number != signal.SIGINT]
            for work in works:
                work.stop.request(said(number), number=number)

    def _end_process(self, number: int) -> None:
        _aside(self._last_words).join(LAST)  # not longer: a store or a pipe may be stuck
        os._exit(128 + number)

    def _last_words(self) -> None:
        for work in self._works:
            work.finish()
        flusher.flush()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()


def _aside(work: Callable[[], None]) -> threading.Thread:
    """Have something done by a thread of its own."""
    thread = threading.Thread(target=work, name="penstock-pulse-aside", daemon=True)
    thread.start()
    return thread


_pulse: Final = Pulse()

os.register_at_fork(
    before=in_place.before_fork,
    after_in_parent=in_place.after_fork,
    after_in_child=_pulse.forked,
)
