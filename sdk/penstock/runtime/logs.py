"""Logs: what a step prints and logs, kept in pieces in the store."""

from __future__ import annotations

import logging
import os
import sys
import threading
from functools import cached_property
from typing import Final

from penstock.artifacts.store import ArtifactStore
from penstock.errors import NoSuchKey, StoreError
from penstock.runtime.runid import nonce

RUN: Final = "-run"
"""In the place of a step's id: what belongs to the run itself. No step can have this name."""

PIECE: Final = 256 * 1024
"""Characters after which a piece is written."""

EVERY: Final = 3.0
"""Seconds after which a piece is written: a killed process must leave its log."""

LIMIT: Final = 16 * 1024 * 1024
"""Characters of one attempt's log; what comes after is counted and dropped."""


class StepLog:
    """The log of one attempt of one step."""

    def __init__(self, store: ArtifactStore, run: str, call: str) -> None:
        self._store = store
        self._folder = f"runs/{run}/logs/{call}"
        self._begin()
        self._total = 0
        self._dropped = 0
        self._warned = False

    @cached_property
    def nonce(self) -> str:
        """The attempt's own name; made when something is written."""
        return nonce()

    def _begin(self) -> None:
        # Reentrant, because the handler of a signal may print in the midst of printing.
        self._lock = threading.RLock()
        self._writing = threading.RLock()
        self._texts: list[str] = []
        self._waiting = 0
        self._pieces = 0

    def forked(self) -> None:
        """In a child: nothing of what is the parent's is written twice, or over the parent's."""
        self._begin()
        self.nonce = f"{self.nonce}-{os.getpid()}"
        if (util := sys.modules.get("multiprocessing.util")) is not None:
            # A child of multiprocessing ends without a word to anybody but these.
            util.register_after_fork(
                self, lambda log: util.Finalize(None, log.close, exitpriority=0)
            )

    def write(self, text: str) -> None:
        """Add text; it reaches the store within `EVERY` seconds."""
        with self._lock:
            room = max(LIMIT - self._total, 0)
            self._dropped += max(len(text) - room, 0)
            text = text[:room]
            first = not self._texts
            self._texts.append(text)
            self._waiting += len(text)
            self._total += len(text)
            full = self._waiting >= PIECE
        if full:
            self.flush()
        elif first:
            _flusher.watch(self)

    def flush(self) -> None:
        """Write what is waiting as one piece. A log that cannot be written stops no step."""
        with self._writing:
            with self._lock:
                text = "".join(self._texts)
                self._texts, self._waiting = [], 0
            if not text:
                return
            number, self._pieces = self._pieces, self._pieces + 1
            data = text.encode("utf-8", "backslashreplace")
            try:
                self._store.put(f"{self._folder}/{self.nonce}-{number:06d}", [data])
            except StoreError as error:
                self._warn(error)

    def close(self) -> None:
        """Write the rest."""
        with self._lock:
            if self._dropped:
                self._texts.append(f"\n[{self._dropped:,} more characters were dropped]\n")
                self._dropped = 0
        if self._texts:
            self.flush()

    def _warn(self, error: StoreError) -> None:
        """Once: the warning is a text that may have to be written here, too."""
        if not self._warned:
            self._warned = True
            logging.getLogger("penstock.logs").warning("A log was not written: %s", error)


def read(store: ArtifactStore, run: str, call: str) -> str:
    """The log of a step in a run, all attempts one after the other."""
    pieces = []
    for entry in store.keys(f"runs/{run}/logs/{call}/"):
        try:
            pieces.append(bytes(store.get(entry.key)))
        except NoSuchKey:
            continue
    return b"".join(pieces).decode("utf-8", "replace")


class _Flusher:
    """One thread, only while some log has text waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: set[StepLog] = set()
        self._thread: threading.Thread | None = None

    def watch(self, log: StepLog) -> None:
        with self._lock:
            self._logs.add(log)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="penstock-logs", daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(EVERY)
            with self._lock:
                logs, self._logs = self._logs, set()
                if not logs:
                    self._thread = None
                    return
            for log in logs:
                log.flush()


_flusher = _Flusher()


def _after_fork() -> None:
    """In a child: the thread is not there, and its lock may be held by nobody."""
    _flusher.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=_after_fork)
