"""Several requests at once, by a few threads that are kept: each may have a connection."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from penstock.errors import NoSuchKey

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

MOST: Final = 8
"""Connections: more at a time are refused by servers as they come, SSH's first of all."""

_pools: Final[dict[int, ThreadPoolExecutor]] = {}


def found_of(one: Callable[[str], T], keys: Iterable[str]) -> dict[str, T]:
    """What `one` gives for each of the keys that are there."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return {}
    found = {}
    for key, coming in [(key, _pool().submit(one, key)) for key in wanted]:
        with suppress(NoSuchKey):
            found[key] = coming.result()
    return found


def _pool() -> ThreadPoolExecutor:
    """This process's own; in a forked one, the threads of its parent do not run."""
    from concurrent.futures import ThreadPoolExecutor  # only where there is something to wait for

    if (found := _pools.get(os.getpid())) is None:  # a pool that loses has no thread yet
        found = _pools.setdefault(os.getpid(), ThreadPoolExecutor(MOST, "penstock-requests"))
    return found
