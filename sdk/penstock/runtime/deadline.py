"""Deadlines for steps in threads: an error raised in the step at its next bytecode."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType
from typing import Final

from penstock.errors import StepTimeout
from penstock.runtime.stopping import AGAIN, Stopped, strike, take_back

LATE: Final = 5.0
"""Seconds beyond a step's timeout after which a process that nothing else runs in is killed."""

IN_A_THREAD: Final = (
    "A step in a thread is stopped at its next Python instruction: what it called "
    "may still have run for a while."
)
"""What becomes of most steps that take too long."""


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
        except Stopped:  # over before the step begins: it will be struck again in there
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
            except Stopped:  # the step had just come back
                continue
        if self._struck:
            with suppress(Stopped):
                take_back(self._thread)
            # Where it was is all that one would like to know.
            where = traceback if isinstance(error, Stopped) else None
            raise too_long(self._step, self._seconds).with_traceback(where) from None

    def _watch(self) -> None:
        wait = self._wait
        while not self._over.wait(wait):
            self._struck = True
            strike(self._thread)
            wait = AGAIN


def too_long(
    step: str, seconds: float, *, killed: bool = False, hint: str = IN_A_THREAD
) -> StepTimeout:
    """The error for a step that did not end in time; `killed` with the process that it ran in."""
    return StepTimeout(
        f"Step {step} took longer than its timeout of {seconds:g} s.",
        hint="It did not stop by itself: its process was killed." if killed else hint,
    )
