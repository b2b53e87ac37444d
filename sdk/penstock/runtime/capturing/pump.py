"""The pump: what was written to the standard descriptors is seen while the step still runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

EVERY: Final = 0.05
"""Seconds after which is looked again."""


class Pump:
    """One thread, asleep while nothing runs."""

    def __init__(self, stroke: Callable[[], None]) -> None:
        self._stroke = stroke
        self._on = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._on.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="penstock-pump", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._on.clear()

    def forked(self) -> None:
        """In a child: the thread is not there, and what is to be pumped is the parent's."""
        self._on = threading.Event()
        self._thread = None

    def _work(self) -> None:
        while True:
            self._on.wait()
            time.sleep(EVERY)
            self._stroke()
