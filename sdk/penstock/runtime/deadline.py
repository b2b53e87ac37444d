"""Deadlines for steps in threads: an error raised in the step at its next bytecode."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType

from penstock.errors import StepTimeout


class Deadline:
    """Around an attempt. A call that sleeps in C is reached only when it comes back."""

    def __init__(self, step: str, seconds: float, grace: float = 0.0) -> None:
        self._step = step
        self._seconds = seconds
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._over = False
        self._raised = False
        self._timer = threading.Timer(seconds + grace, self._strike)
        self._timer.daemon = True

    def __enter__(self) -> None:
        # Struck already, before the step began? Then `__exit__` says so.
        with suppress(_Struck):
            self._timer.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with self._lock:
                self._over = True
            self._timer.cancel()
        except _Struck:  # raised here because the step had just come back
            error = error or _Struck()
        if self._raised:
            _raise_in(self._thread, None)  # not delivered yet: take it back
        if self._raised or isinstance(error, _Struck):
            raise too_long(self._step, self._seconds) from None

    def _strike(self) -> None:
        with self._lock:
            if self._over:
                return
            self._raised = True
            _raise_in(self._thread, _Struck)


def too_long(step: str, seconds: float) -> StepTimeout:
    """The error for a step that did not end in time."""
    return StepTimeout(
        f"Step {step} took longer than its timeout of {seconds:g} s.",
        hint="A step in a thread is stopped at its next Python instruction: what it called "
        "may still have run for a while.",
    )


class _Struck(BaseException):
    """What is raised inside the step; no `except Exception` of the user's stops it."""


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Have an error raised in a thread at its next bytecode, or take a pending one back."""
    import ctypes  # heavy, and only for steps with a timeout

    what = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
