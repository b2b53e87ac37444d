"""Traces: what steps leave behind in this process, and what is put back."""

from __future__ import annotations

import os
import threading
from contextlib import suppress


class Traces:
    """Of the steps of one run. Only where nobody but them is at work: not in the background."""

    def __init__(self) -> None:
        self._directory = _working_directory()
        self._threads = set(threading.enumerate())

    def ignore(self) -> None:
        """Somebody else is at work in this process, too: what is found may be theirs."""
        self._directory = None
        self._threads = set()

    def directory(self) -> str | None:
        """Where a step has gone, if it has: this process is back where it was."""
        if self._directory is None or (found := _working_directory()) == self._directory:
            return None
        with suppress(OSError):  # it is not there any more
            os.chdir(self._directory)
        return found or "a folder that is not there any more"

    def threads(self) -> list[str]:
        """Names of the threads that Python will wait for. Those of pools end by themselves."""
        if not self._threads:
            return []
        return [
            thread.name
            for thread in threading.enumerate()
            if thread not in self._threads
            and not thread.daemon
            and not thread.name.startswith(("penstock-", "ThreadPoolExecutor-"))
        ]


def _working_directory() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None
