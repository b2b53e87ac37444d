"""Logs: what a step prints and logs, kept in pieces in the store.

For the length of a run `sys.stdout` and `sys.stderr` are wrapped and the root logger has one more
handler. What no step is known for (threads that a step starts) belongs to the run.
"""

from __future__ import annotations

import contextvars
import io
import logging
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

from penstock.artifacts.store import ArtifactStore
from penstock.errors import NoSuchKey, StoreError

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

    def __init__(self, store: ArtifactStore, run: str, call: str, nonce: str) -> None:
        self._store = store
        self._key = f"runs/{run}/logs/{call}/{nonce}"
        self._lock = threading.Lock()
        self._texts: deque[str] = deque()
        self._waiting = 0
        self._total = 0
        self._dropped = 0
        self._pieces = 0

    def write(self, text: str) -> None:
        """Add text; it reaches the store within `EVERY` seconds."""
        if self._total >= LIMIT:
            self._dropped += len(text)
            return
        self._texts.append(text)
        self._waiting += len(text)
        self._total += len(text)
        if self._waiting >= PIECE:
            self.flush()
        elif self._waiting == len(text):
            _flusher.watch(self)

    def flush(self) -> None:
        """Write what is waiting as one piece. A log that cannot be written stops no step."""
        with self._lock:
            self._waiting = 0
            # Taken out one by one: a writer in another thread may add to the queue meanwhile.
            texts = [self._texts.popleft() for _ in range(len(self._texts))]
            if not texts:
                return
            number, self._pieces = self._pieces, self._pieces + 1
            data = "".join(texts).encode("utf-8", "backslashreplace")
            try:
                self._store.put(f"{self._key}-{number:06d}", [data])
            except StoreError as error:
                logging.getLogger("penstock.logs").warning("A log was not written: %s", error)

    def close(self) -> None:
        """Write the rest."""
        if self._dropped:
            self._texts.append(f"\n[{self._dropped} more characters were dropped]\n")
            self._dropped = 0
        if self._texts:
            self.flush()


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
_step: contextvars.ContextVar[StepLog | None] = contextvars.ContextVar("log", default=None)


class _Tee(io.TextIOBase):
    """A standard stream that also writes to the log of the step that uses it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        log = _step.get() or _capture.run_log
        if log is not None:
            log.write(text)
        return self.stream.write(text) or len(text)

    def flush(self) -> None:
        self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.stream.encoding


class _LogHandler(logging.Handler):
    """Log records go to the step's log, unless a stream handler prints them into it anyway."""

    def emit(self, record: logging.LogRecord) -> None:
        log = _step.get() or _capture.run_log
        if log is None or any(
            isinstance(getattr(handler, "stream", None), _Tee) for handler in logging.root.handlers
        ):
            return
        log.write(self.format(record) + "\n")


class _Capture:
    """What is wrapped, once for all runs of this process that overlap."""

    def __init__(self) -> None:
        self.run_log: StepLog | None = None
        self._lock = threading.Lock()
        self._depth = 0
        self._tees: dict[str, _Tee] = {}
        self._handler = _LogHandler()
        self._handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        )

    def begin(self, run_log: StepLog) -> None:
        with self._lock:
            self._depth += 1
            if self._depth > 1:
                return
            self.run_log = run_log
            for name in ("stdout", "stderr"):
                if (stream := getattr(sys, name)) is not None:
                    self._tees[name] = _Tee(stream)
                    setattr(sys, name, self._tees[name])
            logging.root.addHandler(self._handler)

    def end(self) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth:
                return
            self.run_log = None
            for name, tee in self._tees.items():
                if getattr(sys, name) is tee:  # else somebody put their own there
                    setattr(sys, name, tee.stream)
            self._tees.clear()
            logging.root.removeHandler(self._handler)


_capture = _Capture()


@contextmanager
def captured(run_log: StepLog) -> Iterator[None]:
    """Wrap the standard streams and the root logger for the length of a run."""
    _capture.begin(run_log)
    try:
        yield
    finally:
        _capture.end()
        run_log.close()


def into(log: StepLog) -> contextvars.Token[StepLog | None]:
    """From here on, in this thread, what is printed belongs to this step."""
    return _step.set(log)


def back(token: contextvars.Token[StepLog | None]) -> None:
    """Undo `into`."""
    _step.reset(token)


def beside(stream: TextIO) -> TextIO:
    """The real stream under a wrapped one: for what is said about steps, not by them."""
    return stream.stream if isinstance(stream, _Tee) else stream
