"""The flusher: a killed process loses at most the last seconds of its logs."""

from __future__ import annotations

import os
import threading
from typing import Final, Protocol

EVERY: Final = 3.0
"""Seconds after which what waits is written."""


class Waits(Protocol):
    """Something in which text may be waiting."""

    def flush(self) -> None: ...

    @property
    def is_open(self) -> bool:
        """Whether text may come without a word to anybody: to be asked again."""


class Flusher:
    """One thread, only while there is something to flush."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._watched: set[Waits] = set()
        self._thread: threading.Thread | None = None

    def watch(self, log: Waits) -> None:
        with self._lock:
            self._watched.add(log)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="penstock-logs", daemon=True
                )
                self._thread.start()

    def flush(self) -> None:
        """Write what waits now: there may be no later."""
        with self._lock:
            logs = list(self._watched)
        for log in logs:
            log.flush()

    def _work(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(EVERY)
            with self._lock:
                logs = self._watched
                self._watched = {log for log in logs if log.is_open}
                if not logs:
                    self._thread = None
                    return
            for log in logs:
                log.flush()


flusher: Final = Flusher()

# In a child the thread is not there, and its lock may be held by nobody.
os.register_at_fork(after_in_child=flusher.__init__)  # type: ignore[misc]
