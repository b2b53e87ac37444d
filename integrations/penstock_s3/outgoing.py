"""Outgoing bytes: handed to the system chunk by chunk, and somebody is told how it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from penstock.artifacts.store import LARGE
from penstock.digest import Buffer

_CHUNK: Final = 1 << 18


def outgoing(data: Buffer, taken: Callable[[], None]) -> dict[str, Any]:
    """The parameters of an operation that has this body; `taken` is called as it goes out."""
    if len(data) < LARGE:
        return {"Body": data}
    return {"Body": _Outgoing(memoryview(data), taken), "ContentLength": len(data)}


class _Outgoing:
    """What aiohttp takes from, as much at a time as the network takes."""

    def __init__(self, data: memoryview, taken: Callable[[], None]) -> None:
        self._data = data
        self._taken = taken

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        for start in range(0, self._data.nbytes, _CHUNK):
            yield self._data[start : start + _CHUNK]
            self._taken()
