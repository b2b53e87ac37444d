"""An event loop in a thread of its own, for callers that have none and callers that are in one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

_SLICE: Final = 0.5
"""Seconds after which a thread that waits looks up: that is when another thread can stop it."""

_CLEANING: Final = 5.0
"""Seconds that what was interrupted has for tidying up after itself."""


ending: Final = threading.Event()
"""Set once the process ends: whoever comes then finds connections and loops closed."""


class Background:
    """An event loop that runs until it is closed, or until the process ends."""

    def __init__(self, name: str, owner: object) -> None:
        # In a forked child this thread is not there, and what its frames hold stays as it is: were
        # it taken apart, that would tear at the connections that its parent is using.
        self._owner = owner
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives, to any thread but the loop's own.

        Whatever interrupts the caller cancels it.
        """
        try:
            return self._given(coroutine)
        except BaseException:
            if ending.is_set() and threading.current_thread().daemon:
                threading.Event().wait()  # nobody waits for this thread: it ends with the process
            raise

    def _given(self, coroutine: Coroutine[Any, Any, T]) -> T:
        call = _Call(self.loop, coroutine)
        try:
            call.wait()
        except BaseException:
            call.cancel()
            raise
        return call.result()

    def close(self) -> None:
        """Stop, and wait until it has stopped."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_CLEANING)

    def _work(self) -> None:
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()


class _Call(Generic[T]):
    """A coroutine on its way through another thread's loop.

    A `concurrent.futures.Future` would be done as soon as it is cancelled. This waits until what
    was cancelled has tidied up.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> None:
        self._loop = loop
        self._coroutine = coroutine
        self._task: asyncio.Task[T] | None = None
        self._running = threading.Lock()
        self._running.acquire()
        try:
            loop.call_soon_threadsafe(self._start)
        except BaseException:
            coroutine.close()
            raise

    def wait(self) -> None:
        while not self._running.acquire(timeout=_SLICE):
            continue

    def cancel(self) -> None:
        self._loop.call_soon_threadsafe(self._cancel)
        self._running.acquire(timeout=_CLEANING)

    def result(self) -> T:
        assert self._task is not None, "it was waited for"
        try:
            return self._task.result()
        finally:
            self._task = None  # else an error and its frames keep each other alive

    def _start(self) -> None:
        self._task = self._loop.create_task(self._coroutine)
        self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            task.exception()  # an interrupted caller does not ask for it
        self._running.release()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
