"""Peak: the memory that an operation needs beyond the value that it is about."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Final, Self

EVERY: Final = 0.001
"""Seconds between two looks."""

_STATM: Final = "/proc/self/statm"


class Peak:
    """Looks at the memory of this process, in a thread, for as long as a `with` lasts.

    What counts is anonymous memory. Pages of a mapped file are the system's own, which takes them
    back when it needs room.
    """

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="penstock-peak", daemon=True)
        self._before = self._most = self._after = 0
        self._fd = -1

    @property
    def growth(self) -> int | None:
        """Bytes that it had at most, above what it had before; None where the system does not tell
        (it does on Linux)."""
        return None if self._fd < 0 else self._most - self._before

    @property
    def beyond(self) -> int | None:
        """The same above what it kept, too."""
        if self._fd < 0:
            return None
        return self._most - max(self._before, self._after)

    def __enter__(self) -> Self:
        try:
            self._fd = os.open(_STATM, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return self
        self._before = self._most = self._anonymous()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._fd < 0:
            return
        self._over.set()
        self._thread.join()
        self._after = self._anonymous()
        self._most = max(self._most, self._after)
        os.close(self._fd)

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            self._most = max(self._most, self._anonymous())

    def _anonymous(self) -> int:
        """Bytes that are resident and no file's (proc(5))."""
        _, resident, shared, *_ = os.pread(self._fd, 256, 0).split()
        return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
