"""Nothing large is copied that need not be, and no file is held open for it. Nothing is timed: a
copy does not fit into the limits of `footprints.py`, and descriptors can be counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sampling import takes_all

from penstock import LocalArtifactStore, Materializer, materializer
from penstock.artifacts.formats import registry
from penstock.artifacts.store import LARGE, Buffer
from penstock.artifacts.values import Code, Trust, Values

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux limits and counts private memory"
)

SCRIPT = Path(__file__).with_name("footprints.py")


def child(store: Path, megabytes: int, *names: str) -> list[str]:
    command = [sys.executable, "-W", "error", str(SCRIPT), str(store), str(megabytes), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


LARGEST = 256 if takes_all() else 96
"""Megabytes. What counts is told in hundredths of a value, whatever its size."""

VIEWS = ["F", "permuted", "rows with gaps", "dates", "dates inside", "masked", "memoryview"]


@pytest.mark.parametrize(
    ("megabytes", "names"),
    [(LARGEST, ["array", "dict", "frame"]), (64, VIEWS)],
    ids=["usual", "odd"],
)
def test_what_can_be_a_view_is_never_copied(
    megabytes: int, names: list[str], tmp_path: Path
) -> None:
    assert child(tmp_path, megabytes, *names) == [f"{name}: 0" for name in names]


def test_what_owns_its_memory_is_copied_once(tmp_path: Path) -> None:
    assert child(tmp_path, LARGEST, "bytearray", "bytes") == ["bytearray: 100", "bytes: 100"]


def test_a_format_that_copies_is_caught(tmp_path: Path) -> None:
    names = ["copies what it takes", "copies what it gives", "copies at once"]

    taken, given, once = child(tmp_path, 64, *names)

    assert "the format copies-taken/1 failed to take a Held: MemoryError" in taken
    assert "the format copies-given/1 failed to load it: MemoryError" in given
    assert "the format copies-once/1 failed to load it: MemoryError" in once


def test_without_room_for_a_thread_a_value_is_stored_all_the_same(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.append({str(SCRIPT.parent)!r})\n"
        "import threading, footprints as f\n"
        "threading.stack_size(1 << 30)\n"
        f"print('array:', f.trip(f.Values(f.LocalArtifactStore(path={str(tmp_path)!r}), "
        "lambda _: f.Code()), 'array', 100_000_000))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("array: ")


class Held:
    def __init__(self, value: Any) -> None:
        self.value = value


class HoldsADescriptor(Materializer[Held]):
    format: ClassVar[str] = "holds/1"

    def dump(self, value: Held) -> Sequence[Buffer]:
        return [memoryview(value.value).cast("B")]

    def load(self, data: Buffer) -> Held:
        return Held(open(os.devnull, "rb"))  # the defect


@pytest.fixture
def own_formats() -> Iterator[None]:
    tables: Any = (registry._by_type, registry._by_format)
    before = [dict(table) for table in tables]
    yield
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)


def descriptors_held(values: Values, value: Any) -> int:
    """How many more there are while 200 loaded values live."""
    artifact = values.save(value, type(value), "The value")
    before = len(os.listdir("/proc/self/fd"))
    found = [values.load(artifact, type(value), "The value", Path, Trust(True)) for _ in range(200)]
    count = len(os.listdir("/proc/self/fd")) - before
    for each in found:
        if isinstance(each, Held):
            each.value.close()
    return count


@pytest.fixture
def values(tmp_path: Path) -> Values:
    return Values(LocalArtifactStore(path=str(tmp_path)), lambda _: Code())


@pytest.mark.parametrize(
    "wrap", [np.asarray, lambda array: {"rows": [array]}, memoryview], ids=["npy", "pickle", "view"]
)
def test_a_value_that_lives_holds_no_descriptor(wrap: Any, values: Values) -> None:
    assert descriptors_held(values, wrap(np.ones(LARGE // 8))) == 0


@pytest.mark.usefixtures("own_formats")
def test_a_format_that_holds_a_descriptor_is_caught(values: Values) -> None:
    materializer(Held)(HoldsADescriptor)

    assert descriptors_held(values, Held(np.ones(LARGE // 8))) == 200
