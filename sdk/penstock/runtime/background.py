"""Runs in the background: with `wait=False` a run goes on in a thread of this process.

The interpreter's exit waits for the run, and not for the thread, which is a daemon: what a stopped
step still does in C keeps no process alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from penstock.runtime.farewell import farewell


class Background:
    """One run that goes on in a thread of its own."""

    def __init__(
        self, run: str, work: Callable[[], BaseException | None], stop: Callable[[str], object]
    ) -> None:
        self.run = run
        """The run's id."""
        self.stop = stop
        """Asks the run to stop, and says why."""
        self.error: BaseException | None = None
        """What `.run()` would have raised."""
        self._work = work
        self._over = threading.Event()

    def start(self) -> None:
        """From here on it runs, and the interpreter's exit waits for it."""
        farewell.begin(self)
        name = f"penstock-run-{self.run}"
        threading.Thread(target=self._carry_out, name=name, daemon=True).start()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it is over, after at most so many seconds."""
        return self._over.wait(timeout)

    def heard(self) -> BaseException | None:
        """The error, to somebody who waits for it: so it is not told at the exit."""
        farewell.forget(self)
        return self.error

    def _carry_out(self) -> None:
        try:
            self.error = self._work()
        finally:
            farewell.end(self)
            self._over.set()
