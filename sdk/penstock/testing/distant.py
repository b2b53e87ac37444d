"""A store that is far away, for all that anybody can tell: every request takes time, and counts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from penstock.artifacts.distant import DistantStore
from penstock.artifacts.store import Buffer, Entry
from penstock.errors import NoSuchKey
from penstock.testing.memory import MemoryArtifactStore

R = TypeVar("R")

PAGE: Final = 1000
"""Entries that one request lists, as S3 does."""

SIDE_BY_SIDE: Final = 64
"""Requests that are under way at the same time."""

_counts: Final[dict[str, Counter[str]]] = {}
_lock: Final = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class DistantArtifactStore(MemoryArtifactStore, DistantStore):
    """Keeps artifacts in memory, and behaves as if that were on the other side of a network."""

    flavor: ClassVar[str] = "distant"

    latency: float = 0.0
    """Seconds that every request takes."""
    read_cache: str = "0"
    """How much this machine keeps: nothing, so that every request is one."""

    @property
    def requests(self) -> Counter[str]:
        """How many there were: "put", "get", "list", "head", "delete", "copy"."""
        with _lock:
            return Counter(_counts.get(self.path, {}))

    def forget_requests(self) -> None:
        """Count from nothing."""
        with _lock:
            _counts.pop(self.path, None)

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        self._request("put")
        super().put(key, buffers, exclusive=exclusive)

    def get(self, key: str) -> Buffer:
        self._request("get")
        return super().get(key)

    def use(self, key: str) -> Buffer:
        """An answer says how old the object is."""
        data = self.get(key)
        self.freshen(super().stat(key))
        return data

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        self._request("list")
        for number, entry in enumerate(super().keys(prefix, start_after=start_after)):
            if number and not number % PAGE:
                self._request("list")
            yield entry

    def tree(self, folder: str) -> Iterator[Entry]:
        self._request("list")
        for number, entry in enumerate(super().tree(folder)):
            if number and not number % PAGE:
                self._request("list")
            yield entry

    def stat(self, key: str) -> Entry:
        self._request("head")
        return super().stat(key)

    def delete(self, key: str) -> None:
        self._request("delete")
        super().delete(key)

    def touch(self, key: str) -> None:
        self._request("copy")
        super().touch(key)

    def discard(self, key: str, before: float) -> bool:
        self._request("head")
        self._request("delete")
        return super().discard(key, before)

    def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return _at_once(self.get, keys)

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return _at_once(self.use, keys)

    def stat_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        return _at_once(self.stat, keys)

    def _request(self, kind: str) -> None:
        with _lock:
            _counts.setdefault(self.path, Counter())[kind] += 1
        time.sleep(self.latency)


def _at_once(one: Callable[[str], R], keys: Iterable[str]) -> dict[str, R]:
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return {}
    found = {}
    with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(wanted))) as pool:
        for key, coming in [(key, pool.submit(one, key)) for key in wanted]:
            with suppress(NoSuchKey):
                found[key] = coming.result()
    return found
