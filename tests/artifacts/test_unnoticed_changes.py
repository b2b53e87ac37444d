"""Large objects that this machine has written or verified are not hashed again. What changes them,
in whatever way and however quickly, is noticed all the same."""

import mmap
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from damages import damaged, in_place, renamed, unnoticed
from samples_of_formats import saved

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.hashed import Hashed
from penstock.artifacts.objects import object_key
from penstock.artifacts.store import LARGE
from penstock.artifacts.values import Code, Trust, Values
from penstock.errors import CorruptArtifact
from penstock.model.records import Artifact

MANY = 300_000
"""Numbers in a sample of bytes that is mapped."""

MAPPED = {
    **dict.fromkeys(("bytes/1", "bytearray/1", "text/1"), MANY),
    "npy/1": 140_000,
    "arrow/1": 60_000,
    "pandas-arrow/2": 50_000,
    "polars-arrow/1": 40_000,
}
"""Numbers in samples that are."""

Change = Callable[[Path, bytes], None]


def by_another_process(file: Path, data: bytes) -> None:
    """In place, with the time of the last change put back."""
    code = (
        "import os, sys; path, at, byte = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])\n"
        "before = os.stat(path); fd = os.open(path, os.O_WRONLY)\n"
        "os.pwrite(fd, bytes([byte]), at); os.close(fd)\n"
        "os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))"
    )
    old = file.read_bytes()
    at = next(n for n, pair in enumerate(zip(old, data, strict=True)) if pair[0] != pair[1])
    subprocess.run([sys.executable, "-c", code, str(file), str(at), str(data[at])], check=True)


def through_a_mapping(file: Path, data: bytes) -> None:
    """As programs change files that they have mapped."""
    before = file.stat()
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapping:
        mapping[:] = data
        mapping.flush()
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def renamed_with_its_times(file: Path, data: bytes) -> None:
    """Another file in its place that says that it is as old."""
    before = file.stat()
    renamed(file, data)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: list[Change] = [
    *(in_place, renamed, unnoticed, by_another_process, through_a_mapping, renamed_with_its_times),
]


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    return LocalArtifactStore(path=str(tmp_path / "store"))


@pytest.fixture
def values(store: LocalArtifactStore, tmp_path: Path) -> Values:
    return Values(store, lambda names: Code(), Hashed(tmp_path / "verified"))


def load(values: Values, artifact: Artifact) -> Any:
    return values.load(artifact, Any, "The value", Path, Trust(False))


def file_of(values: Values, artifact: Artifact) -> Path:
    return Path(values.store.path, object_key(artifact.digest))


def write_again(file: Path, artifact: Artifact) -> None:
    """What was moved aside, in its old place."""
    aside = file.parents[2] / "corrupt" / artifact.digest
    os.replace(aside, file)


def one_bit(data: bytes) -> bytes:
    return next(bad for bad in damaged(data, 100, "bit") if len(bad) == len(data))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_right_after_the_write_is_noticed(values: Values, change: Change) -> None:
    artifact = saved(values, "bytes/1", MANY)
    file = file_of(values, artifact)
    bad = one_bit(file.read_bytes())
    change(file, bad)
    with pytest.raises(CorruptArtifact, match="It was moved to corrupt/"):
        load(values, artifact)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_right_after_it_was_verified_is_noticed(values: Values, change: Change) -> None:
    artifact = saved(values, "bytes/1", MANY)
    file = file_of(values, artifact)
    bad = one_bit(file.read_bytes())
    for _ in range(2):
        load(values, artifact)
    change(file, bad)
    with pytest.raises(CorruptArtifact):
        load(values, artifact)


def test_changes_within_a_tick_of_the_clock_are_noticed(values: Values) -> None:
    """Again and again, as quickly as possible: whoever went by the time alone would miss some."""
    artifact = saved(values, "bytes/1", MANY)
    file = file_of(values, artifact)
    whole = file.read_bytes()
    before = file.stat()
    fd = os.open(file, os.O_RDWR)
    try:
        for number in range(100):
            os.pwrite(fd, bytes([whole[number] ^ 1]), number)
            os.utime(fd, ns=(before.st_atime_ns, before.st_mtime_ns))
            with pytest.raises(CorruptArtifact):
                load(values, artifact)
            os.close(fd)
            saved(values, "bytes/1", MANY)  # made anew, and remembered as whole
            fd = os.open(file, os.O_RDWR)
    finally:
        os.close(fd)


@pytest.mark.parametrize("id", MAPPED)
def test_a_mapped_value_is_never_wrong(id: str, values: Values) -> None:
    artifact = saved(values, id, MAPPED[id])
    file = file_of(values, artifact)
    whole = file.read_bytes()
    assert len(whole) >= LARGE
    rng = random.Random(id)
    for bad in damaged(whole, 12, id):
        rng.choice((in_place, renamed, unnoticed))(file, bad)
        with pytest.raises(CorruptArtifact):
            load(values, artifact)
        file.write_bytes(whole)

    load(values, artifact)


@step
def made() -> bytes:
    return bytes(2 << 20)


@step
def used(data: bytes, again: int) -> int:
    return len(data)


@pipeline(progress=False)
def using(again: int = 0) -> Any:
    return used(made(), again)


@step
def ones(data: bytes, again: int) -> int:
    return sum(data)


@pipeline(progress=False)
def checked(again: int = 0) -> Any:
    return ones(made(), again)


@pytest.mark.parametrize("verify", ["once", "always"])
def test_a_step_is_never_given_what_was_changed(store: LocalArtifactStore, verify: Any) -> None:
    stack = Stack(
        "test", orchestrator=LocalOrchestrator(), artifact_store=replace(store, verify=verify)
    )
    artifact = using.on(stack).run()["made"].output.artifact
    file = Path(store.path, object_key(artifact.digest))
    unnoticed(file, one_bit(file.read_bytes()))
    assert checked.on(stack).run(again=1).result() == 0

    assert Client(stack).run("last")["made"].output.load() == bytes(2 << 20)


def test_what_was_verified_in_one_place_is_not_believed_of_another(
    values: Values, tmp_path: Path
) -> None:
    """The same digest in another store: another file, which nobody has looked at."""
    artifact = saved(values, "bytes/1", MANY)
    load(values, artifact)
    other = Values(
        LocalArtifactStore(path=str(tmp_path / "other")), lambda names: Code(),
        Hashed(tmp_path / "verified"),
    )  # fmt: skip
    file = file_of(other, artifact)
    file.parent.mkdir(parents=True)
    file.write_bytes(one_bit(file_of(values, artifact).read_bytes()))
    with pytest.raises(CorruptArtifact):
        load(other, artifact)


def test_garbage_in_the_list_of_what_was_verified_vouches_for_nothing(
    values: Values, tmp_path: Path
) -> None:
    artifact = saved(values, "bytes/1", MANY)
    file = file_of(values, artifact)
    unnoticed(file, one_bit(file.read_bytes()))
    for data in (b"", b"x" * 31, bytes(32 * 100), random.Random(0).randbytes(32 * 1000)):
        (tmp_path / "garbage").write_bytes(data)
        fresh = Values(values.store, lambda names: Code(), Hashed(tmp_path / "garbage"))
        with pytest.raises(CorruptArtifact):
            load(fresh, artifact)
        write_again(file, artifact)
