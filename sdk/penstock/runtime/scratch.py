"""Scratch: folders for values that are files."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


class Scratch:
    """A folder for folders; made when the first is needed, gone with `remove`."""

    def __init__(self) -> None:
        self._root: str | None = None

    def folder(self) -> Path:
        """A new empty folder."""
        if self._root is None:
            self._root = tempfile.mkdtemp(prefix="penstock-")
        return Path(tempfile.mkdtemp(dir=self._root))

    def remove(self) -> None:
        """Remove everything that was made."""
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None


_process = Scratch()


def until_exit() -> Path:
    """A new empty folder that is there until the process ends."""
    if _process._root is None:
        atexit.register(_process.remove)
    return _process.folder()
