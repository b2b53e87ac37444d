"""Aside: work in a thread of its own, for somebody who may stop waiting for it."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Aside:
    """It begins at once, and keeps no process alive."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._over = threading.Event()
        self._error: BaseException | None = None
        threading.Thread(target=self._do, name="penstock-aside", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether it is done, after at most so long. Raises what it has raised."""
        is_over = self._over.wait(seconds)
        if self._error is not None:
            raise self._error
        return is_over

    def _do(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._over.set()
