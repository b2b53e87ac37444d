"""Room in memory for what is large: pages of 2 MiB, where the system has them.

With pages of 4 KiB the first touch of each takes longer than copying bytes there.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from typing import Final

from penstock.artifacts.store import LARGE

_HUGE: Final = getattr(mmap, "MADV_HUGEPAGE", None)


def room(size: int) -> bytearray | mmap.mmap:
    """So many bytes, all zero and this process's own."""
    if size < LARGE or not hasattr(mmap, "MAP_ANONYMOUS"):
        return bytearray(size)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if _HUGE is not None:
        with suppress(OSError):  # a system that was built without them
            memory.madvise(_HUGE)
    return memory
