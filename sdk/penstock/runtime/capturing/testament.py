"""Testaments: what C code of another process wrote right before a crash, read in its stead.

The files of its detours are made by the process that starts it. Of each it has two descriptions
in common with that one: one to write, and one whose position says how far it has read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from penstock.runtime.capturing.detours import PIECE, moved, nameless

HAS_MEMORY: Final = hasattr(os, "memfd_create")
"""Whether a file can be opened a second time that has no name."""


class Testament:
    """The file for one standard descriptor of a process to be started."""

    def __init__(self) -> None:
        """Raises `OSError`."""
        self.file = nameless()
        try:
            self.mark = moved(os.open(f"/proc/self/fd/{self.file}", os.O_RDONLY))
        except BaseException:
            os.close(self.file)
            raise

    @property
    def numbers(self) -> tuple[int, int]:
        """The descriptors that the other process needs."""
        return self.file, self.mark

    def hand_over(self) -> None:
        """The other process has it now, or will never be: only that one writes."""
        os.close(self.file)

    def rest(self) -> Iterator[bytes]:
        """What it did not live to read. Those whom it left behind may write for ever: that is not
        waited for."""
        left = os.fstat(self.mark).st_size - os.lseek(self.mark, 0, os.SEEK_CUR)
        while left > 0 and (data := os.read(self.mark, min(left, PIECE))):
            left -= len(data)
            yield data

    def close(self) -> None:
        os.close(self.mark)


def testaments() -> list[Testament]:
    """For descriptors 1 and 2; none where files cannot be shared like that."""
    made: list[Testament] = []
    if HAS_MEMORY:
        with suppress(OSError):  # too many files are open: this part is left out
            made.append(Testament())
            made.append(Testament())
    return made
