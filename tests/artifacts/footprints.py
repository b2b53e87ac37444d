"""Saves and loads one large value with no more memory than it may take. Run by `test_copies.py`:

    python footprints.py STORE 256 array dict

prints how much anonymous memory each loaded value is, in percent of its size, or the error that
having taken too much ends in. Memory is limited (`RLIMIT_DATA`, which counts what is private and
writable, touched or not), so that a copy fails in the moment that it is made, however soon it would
be thrown away.
"""

from __future__ import annotations

import gc
import re
import resource
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from penstock import LocalArtifactStore, Materializer, materializer
from penstock.artifacts.store import Buffer
from penstock.artifacts.values import Code, Trust, Values
from penstock.errors import UnsupportedValue

SPARE = 5
"""Percent of the value."""


class Held:
    def __init__(self, array: Any) -> None:
        self.array = array


class CopiesWhatItTakes(Materializer[Held]):
    format: ClassVar[str] = "copies-taken/1"

    def dump(self, value: Held) -> Sequence[Buffer]:
        return [bytes(value.array)]

    def load(self, data: Buffer) -> Held:
        return Held(np.frombuffer(data))


class CopiesWhatItGives(Materializer[Held]):
    format: ClassVar[str] = "copies-given/1"

    def dump(self, value: Held) -> Sequence[Buffer]:
        return [memoryview(value.array).cast("B")]

    def load(self, data: Buffer) -> Held:
        return Held(np.frombuffer(bytes(data)))


class CopiesAtOnce(CopiesWhatItGives):
    """The copy is gone when the value is there."""

    format: ClassVar[str] = "copies-once/1"

    def load(self, data: Buffer) -> Held:
        return Held(np.frombuffer(data)[: len(bytes(data))])


def held(size: int, kind: type[Materializer[Held]]) -> Held:
    own = type("Held", (Held,), {})  # one class has one format
    materializer(own)(kind)
    found: Held = own(floats(size))
    return found


def floats(size: int) -> Any:
    return np.arange(size // 8, dtype="f8")


def frame(size: int) -> Any:
    rows = size // 25
    return pd.DataFrame({
        "n": np.arange(rows), "x": np.linspace(0, 1, rows), "yes": np.arange(rows) % 3 == 0,
        "when": np.arange(rows).astype("M8[s]"),
    })  # fmt: skip


def parts(size: int) -> Any:
    return {"train": floats(size // 2), "test": [floats(size // 4), floats(size // 4)[::-1]]}


VALUES: dict[str, Callable[[int], Any]] = {
    "array": floats,
    "F": lambda size: np.asfortranarray(floats(size).reshape(1000, -1)),
    "permuted": lambda size: floats(size // 8000 * 8000).reshape(10, 100, -1).transpose(2, 0, 1),
    "rows with gaps": lambda size: floats(2 * size)[: 2 * size // 160_000 * 20_000]
    .reshape(-1, 20_000)[:, :10_000],
    "dates": lambda size: floats(size).astype("M8[s]"),
    "dict": parts,
    "dates inside": lambda size: [floats(size).view("M8[s]")],
    "masked": lambda size: np.ma.masked_array(floats(size * 8 // 9), floats(size * 8 // 9) > 5),
    "frame": frame,
    "memoryview": lambda size: memoryview(floats(size)),
    "bytearray": bytearray,
    "bytes": bytes,
    "copies what it takes": lambda size: held(size, CopiesWhatItTakes),
    "copies what it gives": lambda size: held(size, CopiesWhatItGives),
    "copies at once": lambda size: held(size, CopiesAtOnce),
}  # fmt: skip

OWN_THEIR_MEMORY = ("bytearray", "bytes")
"""What must be a copy of the mapped file, once."""


def said(name: str) -> int:
    """What the system says of this process, in bytes (proc_pid_status(5))."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


@contextmanager
def within(most: int) -> Iterator[None]:
    """No more private memory than there is now and `most` bytes."""
    gc.collect()
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (said("VmData") + most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def trip(values: Values, name: str, size: int) -> float:
    """Percent of the value that is anonymous memory when it was loaded."""
    value = VALUES[name](size)
    spare = size * SPARE // 100
    with within(spare):
        artifact = values.save(value, type(value), "The value")
    own = name in OWN_THEIR_MEMORY
    with within(size + own * size + spare):  # the mapping counts, though nothing is read
        before = said("RssAnon")
        found = values.load(artifact, type(value), "The value", Path, Trust(True))
        taken = said("RssAnon") - before
    assert type(found) is type(value)
    return 100 * taken / size


def main(store: str, megabytes: int, names: Sequence[str]) -> None:
    values = Values(LocalArtifactStore(path=store), lambda _: Code())
    threading.stack_size(1 << 19)  # which counts as well, though hardly any of it is touched
    for name in names:
        small = VALUES[name](2_000_000)  # so that all is imported
        artifact = values.save(small, type(small), "The value")
        values.load(artifact, type(small), "The value", Path, Trust(True))
        try:
            print(f"{name}: {trip(values, name, megabytes * 1_000_000):.0f}", flush=True)
        except UnsupportedValue as error:
            print(f"{name}: {error.message}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
