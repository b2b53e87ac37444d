"""The clock that a child process holds to a part of its work."""

from __future__ import annotations

import time
from collections.abc import Callable


def took(work: Callable[[], object]) -> dict[str, float]:
    """Do the work: the seconds that it took, of the processor and on the wall."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
