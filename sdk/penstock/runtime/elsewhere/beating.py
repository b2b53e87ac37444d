"""Beating: a pod gives signs of life, and sees whether somebody wants its run to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from penstock.errors import StoreError
from penstock.model.records import RunRecord
from penstock.runtime.executor import Executor
from penstock.runtime.ledger import Ledger
from penstock.runtime.status import BEAT

LAST: Final = 1.0
"""Seconds that a beat which is on its way has at the end."""


class Beating:
    """Of one pod, which has a name among those of its run."""

    def __init__(self, ledger: Ledger, record: RunRecord, name: str, executor: Executor) -> None:
        self._ledger = ledger
        self._run = record.run
        self._signs = ledger.signs(record)
        self._name = name
        self._executor = executor
        self._in_beat: Collection[str] = ()
        self._beat_at = 0.0
        self._lock = threading.Lock()
        self._has_ended = False

    def look(self) -> None:
        """What the pulse does every few seconds."""
        with suppress(StoreError):  # it may be there at the next look
            self.ask()
            running = dict(self._executor.running)
            now = time.monotonic()
            if running.keys() != self._in_beat or now - self._beat_at >= BEAT:
                with self._lock:
                    if self._has_ended:
                        return
                    self._signs.beat(running, self._name)
                    self._in_beat, self._beat_at = set(running), now

    def ask(self) -> None:
        """See whether the run was cancelled."""
        if (by := self._ledger.cancelled(self._run)) is not None:
            self._executor.stop.request(by, cancelled=True)

    def end(self) -> None:
        """This pod is done, or comes to its end: from here on it gives no sign of life."""
        self._has_ended = True
        if self._lock.acquire(timeout=LAST):
            with suppress(StoreError):
                if self._beat_at:
                    self._signs.end(self._name)
            self._lock.release()
