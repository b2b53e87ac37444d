"""Withheld: a store for who wants to know what would be written there, and to write nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from penstock.artifacts.draft import Draft, Late
from penstock.artifacts.source import Source
from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.runtime.outbox import Outbox
from penstock.runtime.sending import Sending, Write


class Withheld(Outbox):
    """Has what a store has, and what was to be written there. None of that ever gets there."""

    def __init__(self, store: ArtifactStore) -> None:
        super().__init__(store)
        self.__dict__["_sending"] = self.__dict__["_kept"] = _Kept(store)

    _kept: _Kept

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        self._kept.data[key] = b"".join(buffers)

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        self._kept.data.update(dict.fromkeys(keys, data))
        return ()

    def post(self, data: Mapping[str, Buffer], write: Write, *, last: bool = False) -> None:
        write(self)

    def draft(self, source: Source) -> Draft:
        return Late(source, self.put)

    def delete(self, key: str) -> None:
        self._kept.data.pop(key, None)

    def delete_all(self, folder: str) -> None:
        for key in [key for key in self._kept.data if key.startswith(folder)]:
            self.delete(key)

    def discard(self, key: str, before: float) -> bool:
        return False

    # What is relied on is as old as before, and nobody relies on it.

    def touch(self, key: str) -> None:
        return

    def freshen(self, found: Entry) -> None:
        return

    def use(self, key: str) -> Buffer:
        return self.get(key)

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return self.get_all(keys)


class _Kept(Sending):
    """What never goes."""

    def __init__(self, store: ArtifactStore) -> None:
        super().__init__(store)
        self.data: dict[str, Buffer] = {}

    def shown(self, key: str) -> Buffer | None:
        return self.data.get(key)

    def entries(self, prefix: str, start_after: str) -> list[Entry]:
        return [
            Entry(key, len(data), time.time())
            for key, data in sorted(self.data.items())
            if key.startswith(prefix) and key > start_after and "/" not in key[len(prefix) :]
        ]

    def flush(self) -> None:
        return

    def wait(self, concerns: Callable[[str], bool]) -> bool:
        return True

    def conclude(self, seconds: float) -> set[str]:
        return set()
