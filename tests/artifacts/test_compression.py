"""A store that compresses, and stores that read what it wrote."""

import os
import random
import subprocess
import sys
from pathlib import Path

import damages
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.compression import packed, unpacked
from penstock.artifacts.objects import StoredObjects, object_key
from penstock.digest import of_buffers
from penstock.errors import CannotRun, CorruptArtifact


def store_at(path: Path, compression: str = "zstd") -> LocalArtifactStore:
    return LocalArtifactStore(path=str(path / "store"), compression=compression)  # type: ignore[arg-type]


def objects_in(store: LocalArtifactStore) -> list[str]:
    return sorted(path.name for path in Path(store.path, "objects").rglob("*") if path.is_file())


@given(st.lists(st.binary(max_size=400), max_size=4))
def test_what_was_packed_comes_back(buffers: list[bytes]) -> None:
    whole = b"".join(buffers)
    made = packed(buffers, len(whole))

    assert made.digest == of_buffers([whole])
    assert unpacked(b"".join(made.buffers), len(whole)) == whole


@given(st.binary(min_size=1, max_size=300), st.data())
def test_anything_else_is_nothing(data: bytes, more: st.DataObject) -> None:
    whole = bytearray(b"".join(packed([data], len(data)).buffers))
    assert unpacked(whole, len(data) - 1) is None
    assert unpacked(whole, len(data) + 1) is None
    assert unpacked(whole[: more.draw(st.integers(0, len(whole) - 1))], len(data)) is None
    place = more.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << more.draw(st.integers(0, 7))
    assert unpacked(whole, len(data)) is None or len(data) == len(unpacked(whole, len(data)) or b"")


def test_a_bomb_takes_no_more_room_than_was_said() -> None:
    code = (
        "import resource, zstandard\n"
        "from penstock.artifacts.compression import unpacked\n"
        "bomb = zstandard.compress(bytes(1 << 30))\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)\n"
        "print(unpacked(bomb, 100))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "None\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.integers(0, 9_000_000), st.sampled_from(["zstd", "none"]))
def test_every_store_reads_what_another_one_compressed(
    tmp_path: Path, size: int, reader: str
) -> None:
    data = bytes(size // 2) + os.urandom(size - size // 2)
    part = StoredObjects(store_at(tmp_path)).put([data])

    found = StoredObjects(store_at(tmp_path, reader))
    assert found.has(part)
    assert bytes(found.get(part, "It")) == data


def test_compressed_objects_are_smaller_and_keep_their_names(tmp_path: Path) -> None:
    packing, plain = store_at(tmp_path / "one"), store_at(tmp_path / "other", "none")
    data = bytes(5 << 20)
    part = StoredObjects(packing).put([data])

    assert part == StoredObjects(plain).put([data])
    assert objects_in(packing) == [f"{part.digest}.zst"]
    assert objects_in(plain) == [part.digest]
    assert packing.stat(f"{object_key(part.digest)}.zst").size < 2000


def test_what_is_there_uncompressed_is_not_stored_twice(tmp_path: Path) -> None:
    part = StoredObjects(store_at(tmp_path, "none")).put([bytes(5000)])
    StoredObjects(store_at(tmp_path)).put([bytes(5000)])

    assert objects_in(store_at(tmp_path)) == [part.digest]


@pytest.mark.parametrize("size", [5000, 3 << 20])
@pytest.mark.parametrize("damage", ["flip", "cut", "other"])
def test_a_damaged_object_is_moved_aside(tmp_path: Path, damage: str, size: int) -> None:
    store = store_at(tmp_path)
    objects = StoredObjects(store)
    data = os.urandom(size)
    part = objects.put([data])
    file = Path(store.path, f"{object_key(part.digest)}.zst")
    bad = bytearray(file.read_bytes())
    bad[len(bad) // 2] ^= 1
    if damage == "cut":
        bad = bad[:-9]
    elif damage == "other":
        bad = bytearray(b"".join(packed([bytes(size)], size).buffers))
    file.write_bytes(bad)

    with pytest.raises(CorruptArtifact, match=rf"moved to corrupt/{part.digest}\.zst"):
        objects.get(part, "It")
    assert not objects.has(part)
    objects.put([data])
    assert bytes(objects.get(part, "It")) == data


def test_a_thousand_damages_are_never_data(tmp_path: Path) -> None:
    store, chance = store_at(tmp_path), random.Random(0)
    objects = StoredObjects(store)
    data = b"".join(b"line %d\n" % number for number in range(2000))
    part = objects.put([data])
    key = f"{object_key(part.digest)}.zst"
    whole = bytes(store.get(key))
    for number in range(1000):
        store.put(key, [damages.ALL[number % len(damages.ALL)](bytearray(whole), chance)])
        try:
            found = bytes(objects.get(part, "It"))
        except CorruptArtifact as error:
            found = data if key in error.message else b""
        assert found == data


@pytest.mark.parametrize("size", [5000, 3 << 20])
def test_an_object_is_unpacked_into_a_file(tmp_path: Path, size: int) -> None:
    objects = StoredObjects(store_at(tmp_path))
    data = os.urandom(size)
    part = objects.put([data])
    fd = os.open(tmp_path / "copy", os.O_RDWR | os.O_CREAT)
    objects.write(part, fd, "It")
    os.close(fd)

    assert (tmp_path / "copy").read_bytes() == data


@step
def zeros(count: int) -> np.ndarray:
    return np.zeros(count)


@step
def total(numbers: np.ndarray, folder: Path) -> float:
    numbers += 1  # what is unpacked is one's own
    return float(numbers.sum()) + sum(len(path.read_bytes()) for path in folder.iterdir())


@step
def written() -> Path:
    folder = Path("made")
    folder.mkdir(exist_ok=True)
    (folder / "big").write_bytes(bytes(2 << 20))
    (folder / "small").write_bytes(b"small")
    return folder


@pipeline(progress=False)
def summing() -> float:
    return total(zeros(400_000), written())


def test_a_pipeline_runs_on_a_compressed_store(tmp_path: Path) -> None:
    stack = Stack("small", orchestrator=LocalOrchestrator(), artifact_store=store_at(tmp_path))
    expected = 400_000 + (2 << 20) + 5

    assert summing.on(stack).run().result() == expected
    again = summing.on(stack).run()
    assert [item.status for item in again.steps.values()] == ["cached"] * 3
    # The plan, the code and the text of this file, which are found by their digests alone.
    assert [name.endswith(".zst") for name in objects_in(store_at(tmp_path))].count(False) == 3
    plain = Stack(
        "plain", orchestrator=LocalOrchestrator(), artifact_store=store_at(tmp_path, "none")
    )
    assert [item.status for item in summing.on(plain).run().steps.values()] == ["cached"] * 3


def test_the_setting_is_written_in_yaml(tmp_path: Path) -> None:
    Path("penstock.yaml").write_text(
        "artifact_stores:\n  small: {flavor: local, path: s, compression: zstd}\n"
        "stacks:\n  small: {orchestrator: default, artifact_store: small}\nactive: small\n"
    )
    store = Client().active_stack.artifact_store

    assert store.compression == "zstd"


def refused(path: Path, compression: str) -> str:
    store = store_at(path, compression)
    stack = Stack("small", orchestrator=LocalOrchestrator(), artifact_store=store)
    with pytest.raises(CannotRun) as caught:
        summing.on(stack).run()
    return caught.value.message.splitlines()[1].strip()


def test_without_the_library_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)

    assert refused(tmp_path, "zstd") == (
        "artifact store 'local': Compressed objects need 'zstandard', which is not installed "
        "(pip install zstandard)"
    )


def test_another_compression_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "gzip") == (
        "artifact store 'local': there is no compression 'gzip', only 'none', 'zstd'"
    )
