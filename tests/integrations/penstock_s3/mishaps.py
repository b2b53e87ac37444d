"""Operations of all kinds on a store whose network is broken: to each of them something happens.

Each worker has keys of its own, so it knows what must be there.
"""

from __future__ import annotations

import os
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from judge import Judge

from penstock.artifacts.source import Buffers
from penstock.artifacts.store import ArtifactStore
from penstock.digest import of_buffers
from penstock.errors import KeyTaken, NoSuchKey
from penstock.testing.asked import Request
from penstock.testing.faults import (
    ANSWER_LOST,
    CONFLICT,
    ERROR_IN_200,
    INTERNAL_ERROR,
    RESET,
    SLOW_DOWN,
    Fault,
    Flip,
    Hang,
    Refusal,
    Truncation,
)

LARGE: Final = 11 << 20
"""Bytes of an object that travels in three parts of 5 MiB."""

_AFTERWARDS: Final = (
    Refusal(status=500, code="InternalError", reaches=True),
    Refusal(status=503, code="SlowDown", reaches=True),
    Refusal(status=200, code="InternalError", reaches=True),
    ANSWER_LOST,
)
_ANY: Final = (SLOW_DOWN, INTERNAL_ERROR, RESET, ERROR_IN_200, *_AFTERWARDS)
_SELDOM: Final = (Hang(), Hang(reaches=True))
_OF_READING: Final = (Truncation(at=0.0), Truncation(at=0.7), Flip(at=0.0), Flip(at=0.6))
_OF_WRITING: Final = (Flip(of="request", at=0.0), Flip(of="request", at=0.8))
_BY_KIND: Final[Mapping[str, Sequence[Fault]]] = {
    "get": _OF_READING,
    "list": (Truncation(at=0.7),),
    "put": (*_OF_WRITING, CONFLICT),
    "part": _OF_WRITING,
}


class Mishaps:
    """The plan of a proxy: breaks as many requests of a worker as it was told to."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._flipped: set[str] = set()
        self.happened: Counter[str] = Counter()

    def expect(self, worker: str, faults: int) -> None:
        """Break this many of its next requests."""
        with self._lock:
            self._waiting[worker] = faults
            self._flipped.discard(worker)
            self.happened[worker] = 0

    def __call__(self, request: Request) -> Fault | None:
        text = request.key or request.query.get("prefix") or request.data.decode("latin-1")
        worker = found[0] if (found := re.search(r"worker-\d+", text)) else ""
        with self._lock:
            if not self._waiting[worker]:
                return None
            self._waiting[worker] -= 1
            self.happened[worker] += 1
            fault = self._one(request)
            # One bit in an operation: what comes twice is what is stored, and what flips twice is
            # as it was. No answer with an object in several parts: its ETag says nothing of bytes.
            if isinstance(fault, Flip):
                if worker in self._flipped or (fault.of == "answer" and "/large-" in request.key):
                    return RESET
                self._flipped.add(worker)
            return fault

    def _one(self, request: Request) -> Fault:
        if self._random.random() < 0.01:
            return self._random.choice(_SELDOM)
        fault = self._random.choice([*_ANY, *_BY_KIND.get(request.kind, ()) * 2])
        wanting = isinstance(fault, Flip) and fault.of == "request" and not request.head.size
        return RESET if wanting else fault


@dataclass
class Tally:
    """What came of it; the lists are empty if all is well."""

    operations: int = 0
    faults: int = 0
    untouched: list[str] = field(default_factory=list)
    """Operations to which nothing happened."""
    false_successes: list[str] = field(default_factory=list)
    false_failures: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class Worker:
    """Does one operation after the other under a prefix of its own."""

    def __init__(self, name: str, store: ArtifactStore, mishaps: Mishaps, judge: Judge) -> None:
        self.name = name
        self.tally = Tally()
        self._store, self._mishaps, self._judge = store, mishaps, judge
        self._random = random.Random(name)
        self._there: dict[str, bytes] = {}
        self._folders = 0

    def work(self, operations: int) -> Tally:
        for _ in range(operations):
            [kind] = self._random.choices([*_KINDS], [*_KINDS.values()])
            faults = self._random.choice((1, 1, 1, 2, 2, 3))
            self._mishaps.expect(self.name, faults)
            kind(self)
            self.tally.operations += 1
            self.tally.faults += self._mishaps.happened[self.name]
            if not self._mishaps.happened[self.name]:
                self.tally.untouched.append(kind.__name__)
            self._mishaps.expect(self.name, 0)
        self._look_at_all()
        return self.tally

    def put(self) -> None:
        key, data = self._any_key(), self._bytes()
        self._write("put", {key: data}, lambda: self._store.put(key, [data]))

    def put_large(self) -> None:
        key, data = f"{self.name}/large-{self._random.randrange(3)}", os.urandom(LARGE)
        halves = [data[: LARGE // 2], memoryview(data)[LARGE // 2 :]]
        self._write("large put", {key: data}, lambda: self._store.put(key, halves))

    def put_where_nothing_is(self) -> None:
        key, data = self._free_key(), self._bytes()
        put = lambda: self._store.put(key, [data], exclusive=True)  # noqa: E731
        self._write("exclusive put", {key: data}, put)

    def put_where_something_is(self) -> None:
        key = self._taken_key()
        put = lambda: self._store.put(key, [b"other"], exclusive=True)  # noqa: E731
        self._write("put on a taken key", {}, put, KeyTaken)

    def keep_draft(self) -> None:
        kind, size = self._random.choice([("new", 5000), ("large", LARGE)])
        key, data = self._free_key(kind), os.urandom(size)

        def keep() -> None:
            with self._store.draft(Buffers([data])) as draft:
                assert b"".join(map(bytes, draft.pieces())) == data
                draft.keep(key, of_buffers([data]))

        self._write("draft", {key: data}, keep)

    def publish(self) -> None:
        keys, data = [self._free_key(), self._taken_key(), self._free_key()], self._bytes()
        made = {keys[0]: data, keys[2]: data}
        self._write("publish", made, lambda: self._store.publish(keys, data), (keys[1],))

    def get(self) -> None:
        key = self._taken_key()
        self._read("get", lambda: bytes(self._store.get(key)), self._there[key])

    def get_nothing(self) -> None:
        key = self._free_key()
        self._read("get of nothing", lambda: self._store.get(key), NoSuchKey)

    def use(self) -> None:
        key = self._taken_key()
        self._read("use", lambda: bytes(self._store.use(key)), self._there[key])

    def read(self) -> None:
        key, seen = self._taken_key(), bytearray()

        def both() -> tuple[bytes, bytes]:
            data = bytes(self._store.read(key, seen.extend))
            return data, bytes(seen)

        self._read("read", both, (self._there[key], self._there[key]))

    def get_all(self) -> None:
        keys = [self._taken_key(), self._free_key(), self._taken_key()]
        wanted = {key: self._there[key] for key in keys if key in self._there}
        found = lambda: {k: bytes(data) for k, data in self._store.get_all(keys).items()}  # noqa: E731
        self._read("get_all", found, wanted)

    def stat(self) -> None:
        key = self._taken_key()
        self._read("stat", lambda: self._store.stat(key).size, len(self._there[key]))

    def stat_nothing(self) -> None:
        key = self._free_key()
        self._read("stat of nothing", lambda: self._store.stat(key), NoSuchKey)

    def touch(self) -> None:
        key = self._taken_key()
        self._write("touch", {key: self._there[key]}, lambda: self._store.touch(key))

    def touch_nothing(self) -> None:
        key = self._free_key()
        self._write("touch of nothing", {}, lambda: self._store.touch(key), NoSuchKey)

    def delete(self) -> None:
        key = self._taken_key()
        self._write("delete", {key: None}, lambda: self._store.delete(key))

    def delete_nothing(self) -> None:
        key = self._free_key()
        self._write("delete of nothing", {}, lambda: self._store.delete(key), NoSuchKey)

    def discard(self) -> None:
        key = self._taken_key()
        self._write("discard", {key: None}, lambda: self._store.discard(key, 1e11), True)

    def discard_what_is_young(self) -> None:
        key = self._taken_key()
        self._write("discard of young", {}, lambda: self._store.discard(key, 1e6), False)

    def list(self) -> None:
        wanted = sorted(key for key in self._there if key.count("/") == 1)

        def listed() -> object:
            found = (entry.key for entry in self._store.keys(f"{self.name}/"))
            return [key for key in found if not key.endswith("/")]

        self._read("list", listed, wanted)

    def delete_all(self) -> None:
        self._folders += 1
        folder = f"{self.name}/folder-{self._folders}/"
        self._mishaps.expect(self.name, 0)
        for number in range(3):
            self._store.put(f"{folder}{number}", [b"x"])
        self._mishaps.expect(self.name, 2)
        self._write("delete_all", {}, lambda: self._store.delete_all(folder))
        if left := self._judge.keys(folder):
            self.tally.false_successes.append(f"delete_all left {left}")

    def _write(
        self,
        what: str,
        made: Mapping[str, bytes | None],
        do: Callable[[], object],
        expected: object = None,
    ) -> None:
        self._read(what, do, expected)
        for key, data in made.items():
            if (there := self._judge.data(key)) != data:
                self.tally.lost.append(f"{what}: {key} is {_short(there)}, not {_short(data)}")
            self._there.pop(key, None)
            if there is not None:
                self._there[key] = there

    def _read(self, what: str, do: Callable[[], object], expected: object) -> None:
        try:
            found: object = do()
        except Exception as error:
            if type(error) is not expected:
                self.tally.false_failures.append(f"{what}: {error!r}")
            return
        if found != expected:
            self.tally.false_successes.append(f"{what}: {_short(found)}, not {_short(expected)}")

    def _look_at_all(self) -> None:
        for key, data in self._there.items():
            if (there := self._judge.data(key)) != data:
                self.tally.lost.append(f"{key} is {_short(there)} at the end, not {_short(data)}")

    def _any_key(self) -> str:
        return f"{self.name}/{self._random.randrange(20)}"

    def _free_key(self, kind: str = "new") -> str:
        return f"{self.name}/{kind}-{self._random.getrandbits(40):x}"

    def _taken_key(self) -> str:
        if not self._there:
            self._mishaps.expect(self.name, 0)
            self._store.put(f"{self.name}/first", [b"first"])
            self._there[f"{self.name}/first"] = b"first"
            self._mishaps.expect(self.name, 1)
        return self._random.choice(sorted(self._there))

    def _bytes(self) -> bytes:
        return os.urandom(self._random.choice((0, 1, 200, 3000, 100_000)))


_KINDS: Final[Mapping[Callable[[Worker], None], float]] = {
    **dict.fromkeys([Worker.put, Worker.put_where_nothing_is, Worker.get], 10),
    **dict.fromkeys([Worker.put_where_something_is, Worker.delete, Worker.list, Worker.stat], 5),
    **dict.fromkeys([Worker.use, Worker.read, Worker.get_all, Worker.touch, Worker.publish], 4),
    **dict.fromkeys([Worker.get_nothing, Worker.stat_nothing, Worker.touch_nothing], 2),
    **dict.fromkeys([Worker.delete_nothing, Worker.discard, Worker.discard_what_is_young], 2),
    **dict.fromkeys([Worker.keep_draft, Worker.delete_all], 2),
    **dict.fromkeys([Worker.put_large], 0.7),
}


def run(
    store: ArtifactStore, mishaps: Mishaps, judge: Judge, operations: int, workers: int = 16
) -> Tally:
    """All of it; the workers side by side."""
    share = -(-operations // workers)
    crew = [Worker(f"worker-{number}", store, mishaps, judge) for number in range(workers)]
    with ThreadPoolExecutor(workers) as threads:
        return _sum(threads.map(lambda worker: worker.work(share), crew))


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.operations += tally.operations
        total.faults += tally.faults
        for name in ("untouched", "false_successes", "false_failures", "lost"):
            getattr(total, name).extend(getattr(tally, name))
    return total


def _short(value: object) -> str:
    if isinstance(value, bytes) and len(value) > 20:
        return f"{len(value)} bytes {value[:8]!r}…"
    return repr(value)[:200]
