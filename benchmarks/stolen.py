"""Time that the host of a virtual machine gave to others, as Linux counts it (proc_stat(5))."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_STEAL: Final = 7
"""The number of the column, from 0; those behind it are part of others."""


class Taken:
    """What a piece of work was disturbed by, when it is done."""

    share = 0.0
    """Of the time of all processors."""
    seconds = 0.0
    """On the clock."""


@contextmanager
def share() -> Iterator[Taken]:
    """Look until the `with` ends. Where nobody counts, nothing was stolen."""
    taken, begin, before = Taken(), time.perf_counter(), _ticks()
    yield taken
    spent = [now - then for now, then in zip(_ticks(), before, strict=True)]
    taken.seconds = time.perf_counter() - begin
    taken.share = spent[_STEAL] / max(sum(spent), 1)


def _ticks() -> list[int]:
    try:
        first = Path("/proc/stat").read_text().partition("\n")[0]
    except OSError:
        return [0] * (_STEAL + 1)
    return [int(word) for word in first.split()[1 : _STEAL + 2]]
