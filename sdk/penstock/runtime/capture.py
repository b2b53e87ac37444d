"""Capture: what is printed and logged in a run reaches the log of the step that says it.

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
from typing import Any, TextIO

from penstock.runtime.logs import StepLog

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
            # Where nothing is configured, a handler of ours would keep `basicConfig` in a step from
            # doing anything, and warnings from reaching stderr, which is wrapped as it is.
            if logging.root.handlers:
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


os.register_at_fork(after_in_child=_capture.forked)


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
