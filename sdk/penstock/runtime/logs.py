"""Logs: what a step prints and logs, kept in pieces in the store."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Final

from penstock.artifacts.store import ArtifactStore
from penstock.errors import NoSuchKey, StoreError
from penstock.runtime import masking, overwriting
from penstock.runtime.flusher import flusher
from penstock.runtime.masking import Mask
from penstock.runtime.runid import nonce

RUN: Final = "-run"
"""In the place of a step's id: what belongs to the run itself. No step can have this name."""

_NAME: Final = re.compile(r".+-[0-9]{6,}")
"""What a piece is called: the attempt's own name and a number."""

PIECE: Final = 256 * 1024
"""Bytes after which a piece is written."""

LIMIT: Final = 16 * 1024 * 1024
"""Bytes of one attempt's log; what comes after is counted and dropped."""


unwritten: Final[dict[str, StoreError]] = {}
"""Runs of which a log did not get to the store that it was sent to, and why: to be told at their
end, unless they end of the same."""


class StepLog:
    """The log of one attempt of one step."""

    def __init__(
        self, store: ArtifactStore, run: str, call: str, mask: Mask = masking.NOTHING
    ) -> None:
        self.mask = mask
        self.gather: Callable[[], None] | None = None
        """Fetches what still waits elsewhere to be written here."""
        self._store = store
        self._run = run
        self._folder = f"runs/{run}/logs/{call}"
        self._begin()
        self._kept = 0
        self._dropped = 0
        self._warned = False
        self._last = ""

    @cached_property
    def nonce(self) -> str:
        """The attempt's own name; made when something is written."""
        return nonce()

    @property
    def is_open(self) -> bool:
        """Whether text may be waiting elsewhere."""
        return self.gather is not None

    def _begin(self) -> None:
        # Reentrant, because the handler of a signal may print in the midst of printing.
        self._lock = threading.RLock()
        self._writing = threading.RLock()
        self._masked = self.mask.stream()
        self._waiting: list[bytes] = []
        self._size = 0
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

    def write(self, text: str | bytes) -> None:
        """Add text; it reaches the store within seconds, without the secrets."""
        data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
        with self._lock:
            full = self.add(self._masked.feed(data))
        if full:
            self.flush()

    def conclude(self, text: str) -> None:
        """What the log ends with, also where there was no room for all before it."""
        self._last = self.mask.text(text)

    def add(self, data: bytes) -> bool:
        """Add text that shows no secret; says whether it is time for a `flush`."""
        with self._lock:
            room = max(LIMIT - self._kept - self._size, 0)
            if len(data) > room:
                whole = data[:room].decode("utf-8", "ignore").encode()  # no half of a character
                self._dropped += len(data) - len(whole)
                data = whole
            first = not self._waiting
            if data:
                self._waiting.append(data)
                self._size += len(data)
        if data and first:
            flusher.watch(self)
        return self._size >= PIECE

    def flush(self) -> None:
        """Write what is waiting as one piece. A log that cannot be written stops no step."""
        if self.gather is not None:
            self.gather()
        with self._writing:
            with self._lock:
                data = overwriting.shortened(b"".join(self._waiting))
                self._waiting, self._size = [], 0
                self._kept += len(data)
            if not data:
                return
            number, self._pieces = self._pieces, self._pieces + 1
            key = f"{self._folder}/{self.nonce}-{number:06d}"
            self._store.post({key: data}, partial(self._write, key, data))

    def close(self) -> None:
        """Write the rest."""
        if self.gather is not None:
            self.gather()
        with self._lock:
            if rest := self._masked.rest():
                self.add(rest)
            if self._dropped:
                said = f"\n[{self._dropped:,} more bytes were dropped]\n"
                self._waiting.append(said.encode())
                self._dropped = 0
            if self._last:
                self._waiting.append(self._last.encode("utf-8", "backslashreplace"))
                self._last = ""
        if self._waiting:
            self.flush()

    def _write(self, key: str, data: bytes, store: ArtifactStore) -> None:
        try:
            store.put(key, [data])
        except StoreError as error:
            if store is self._store:
                self._warn(error)
            else:  # the run goes on meanwhile, and may end of this
                unwritten.setdefault(self._run, error)

    def _warn(self, error: StoreError) -> None:
        """Once: the warning is a text that may have to be written here, too."""
        if not self._warned:
            self._warned = True
            warn(error)


def warn(error: StoreError) -> None:
    """Tell why a log was not written."""
    logging.getLogger("penstock.logs").warning("A log was not written: %s", error)


def read(store: ArtifactStore, run: str, call: str) -> str:
    """The log of a step in a run, all attempts one after the other."""
    text = b"".join(_pieces(store, run, call))
    return overwriting.shown(text).decode("utf-8", "replace")


def pieces(store: ArtifactStore, run: str, call: str) -> Iterator[str]:
    """The keys of the pieces of a step's log, in their order."""
    for entry in store.keys(f"runs/{run}/logs/{call}/"):
        if _NAME.fullmatch(entry.key):  # others leave files and folders, too
            yield entry.key


def _pieces(store: ArtifactStore, run: str, call: str) -> Iterator[bytes]:
    for key in pieces(store, run, call):
        try:
            yield bytes(store.get(key))
        except NoSuchKey:
            continue
