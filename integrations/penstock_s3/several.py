"""Several things at once: side by side, as many as there are connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from penstock.errors import NoSuchKey

R = TypeVar("R")


async def found(one: Callable[[str], Awaitable[R]], keys: Iterable[str], most: int) -> dict[str, R]:
    """What `one` gives for each of these keys that are there, in their order."""
    wanted = list(dict.fromkeys(keys))
    coming = iter(wanted)
    got: dict[str, R] = {}

    async def work() -> None:
        for key in coming:  # all workers take from the same
            try:
                got[key] = await one(key)
            except NoSuchKey:
                continue

    await all_of(work() for _ in range(min(most, len(wanted))))
    return {key: got[key] for key in wanted if key in got}


async def all_of(works: Iterable[Awaitable[None]]) -> None:
    """Wait for all of it. The first error ends the others, and is raised once they have ended."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
