"""Scratch: folders for values that are files."""

from __future__ import annotations

import atexit
import os
from pathlib import Path


class Scratch:
    """A folder for folders; made when the first is needed, gone with `remove`."""

    def __init__(self) -> None:
        self._root: str | None = None
        self._process = 0

    def folder(self) -> Path:
        """A new empty folder."""
        import tempfile  # heavy, and only for values that are files

        if self._root is None or self._process != os.getpid():
            self._root, self._process = tempfile.mkdtemp(prefix="penstock-"), os.getpid()
        return Path(tempfile.mkdtemp(dir=self._root))

    def remove(self) -> None:
        """Remove everything that was made in this process; a forked child leaves it alone."""
        if self._root is not None and self._process == os.getpid():
            import shutil  # as above

            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None


_process = Scratch()


def until_exit() -> Path:
    """A new empty folder that is there until the process ends."""
    if _process._root is None:
        atexit.register(_process.remove)
    return _process.folder()
