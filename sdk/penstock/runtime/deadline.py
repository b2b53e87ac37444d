"""Deadlines for steps in threads: an error raised in the step at its next bytecode."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType
from typing import Final

from penstock.errors import StepTimeout

AGAIN: Final = 0.05
"""Seconds after which a step that is still there is struck again."""


class Deadline:
    """Around an attempt. A call that sleeps in C is reached only when it comes back."""

    def __init__(self, step: str, seconds: float, grace: float = 0.0) -> None:
        self._step = step
        self._seconds = seconds
        self._wait = seconds + grace
        self._thread = threading.get_ident()
        self._over = threading.Event()
        self._struck = False
        self._watcher = threading.Thread(target=self._watch, name="penstock-deadline", daemon=True)

    def __enter__(self) -> None:
        try:
            self._watcher.start()
        except _Struck:  # over before the step begins: it will be struck again in there
            return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._watcher.is_alive():
            try:
                self._over.set()
                self._watcher.join()
            except _Struck:  # the step had just come back
                continue
        if self._struck:
            with suppress(_Struck):
                _raise_in(self._thread, None)  # if it is not delivered yet: take it back
            raise too_long(self._step, self._seconds) from None

    def _watch(self) -> None:
        wait = self._wait
        while not self._over.wait(wait):
            self._struck = True
            _raise_in(self._thread, _Struck)
            wait = AGAIN


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
