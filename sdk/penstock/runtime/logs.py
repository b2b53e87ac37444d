"""Logs: what a step prints and logs, kept in pieces in the store.

For the length of a run `sys.stdout` and `sys.stderr` are wrapped and the root logger has one more
handler. What no step is known for (threads that a step starts) belongs to the run. What is written
as bytes, to `sys.stdout.buffer` or by other programs, passes by.
"""

from __future__ import annotations

import contextvars
import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final, TextIO

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
_step: contextvars.ContextVar[StepLog | None] = contextvars.ContextVar("log", default=None)


class _Tee(io.TextIOBase):
    """A standard stream that also writes to the log of the step that uses it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.active = True
        """Not any more when the run is over: somebody may have kept it."""

    def write(self, text: str) -> int:
        log = _step.get() or _capture.run_log
        if log is not None and self.active and isinstance(text, str):
            log.write(text)
        return self.stream.write(text) or len(text)

    def writable(self) -> bool:
        return True

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

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.stream.errors


class _LogHandler(logging.Handler):
    """Log records go to the step's log, unless a stream handler prints them into it anyway."""

    def emit(self, record: logging.LogRecord) -> None:
        log = _step.get() or _capture.run_log
        if log is not None and not any(
            isinstance(stream := getattr(handler, "stream", None), _Tee)
            and stream.active
            and handler.level <= record.levelno
            for handler in logging.root.handlers
        ):
            log.write(self.format(record) + "\n")


class _Capture:
    """What is wrapped, once for all runs of this process that overlap."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: list[StepLog] = []
        self._tees: dict[str, _Tee] = {}
        self._handler = _LogHandler()
        self._handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        )

    @property
    def run_log(self) -> StepLog | None:
        """The log of the run that began last."""
        logs = self._logs
        return logs[-1] if logs else None

    def begin(self, run_log: StepLog) -> None:
        with self._lock:
            self._logs = [*self._logs, run_log]
            if len(self._logs) > 1:
                return
            for name in ("stdout", "stderr"):
                if (stream := getattr(sys, name)) is not None:
                    self._tees[name] = _Tee(stream)
                    setattr(sys, name, self._tees[name])
            logging.root.addHandler(self._handler)

    def end(self, run_log: StepLog) -> None:
        with self._lock:
            self._logs = [log for log in self._logs if log is not run_log]
            if self._logs:
                return
            for name, tee in self._tees.items():
                tee.active = False
                if getattr(sys, name) is tee:  # else somebody put their own there
                    setattr(sys, name, tee.stream)
            self._tees.clear()
            logging.root.removeHandler(self._handler)

    def forked(self) -> None:
        """In a child: no lock is held here by a thread that is not."""
        self._lock = threading.Lock()
        for log in {*self._logs, *filter(None, [_step.get()])}:
            log.forked()


_capture = _Capture()


def _after_fork() -> None:
    _flusher.__init__()  # type: ignore[misc] # its thread is not here
    _capture.forked()


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def captured(run_log: StepLog) -> Iterator[None]:
    """Wrap the standard streams and the root logger for the length of a run."""
    _capture.begin(run_log)
    token = into(run_log)
    try:
        yield
    finally:
        back(token)
        _capture.end(run_log)
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
