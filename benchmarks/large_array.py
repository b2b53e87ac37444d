"""A child of `eight_gigabytes.py`: one step makes an array, and another one looks at it.

    python large_array.py BYTES ALLOWANCE [copying]

Everything is done once with a small array, so that all is imported and all threads have started.
Then the address space is limited: to what there is, the array, and the allowance.
"""

from __future__ import annotations

import json
import pickle
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import resident

from penstock import Buffer, Materializer, materializer, pipeline, step

BLOCK = 16 << 20
"""Bytes that are filled at once; the numbers of a block are there twice for a moment."""

Array = np.ndarray[Any, np.dtype[np.float64]]


@step
def counted(size: int) -> Array:
    """0, 1, 2, …"""
    array, block = np.empty(size // 8), BLOCK // 8
    for start in range(0, array.size, block):
        end = min(start + block, array.size)
        array[start:end] = np.arange(start, end)
    return array


@step
def seen(array: Array) -> list[float]:
    """The first, the one in the middle, and the last."""
    return [float(array[place]) for place in (0, array.size // 2, -1)]


@pipeline(progress=False)
def large(size: int) -> list[float]:
    return seen(counted(size))


class Copying(Materializer[Array]):
    """What this limit is to catch: a format that has the bytes twice."""

    format = "copying/1"

    def dump(self, value: Array) -> Sequence[Buffer]:
        return [pickle.dumps(value, protocol=5)]

    def load(self, data: Buffer) -> Array:
        found: Array = pickle.loads(data)
        return found


def limit(more: int) -> None:
    """From here on the process gets so many bytes of addresses, and no more."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (resident.addresses() + more, most))


def main(size: int, allowance: int, *how: str) -> None:
    if how == ("copying",):
        materializer(np.ndarray)(Copying)
    large.run(32 << 20)
    limit(size + allowance)
    begin = time.perf_counter()
    found = large.run(size).result()
    print(json.dumps({"seconds": time.perf_counter() - begin, "found": found}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
