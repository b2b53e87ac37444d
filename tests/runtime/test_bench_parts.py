"""The parts of a bench: its values, its places, the raw side, memory, and what it says."""

import mmap
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from inspect import getmembers
from pathlib import Path
from typing import Any, Literal

import fsspec
import pytest

from penstock import Client, LocalArtifactStore, PenstockError
from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.errors import BadArguments, StoreUnavailable
from penstock.model.user import cache_folder
from penstock.runtime import processes
from penstock.runtime.bench import room
from penstock.runtime.bench.below import Below
from penstock.runtime.bench.content import Content
from penstock.runtime.bench.ours import Ours
from penstock.runtime.bench.peak import Peak
from penstock.runtime.bench.place import place, sweep
from penstock.runtime.bench.report import Figure, What
from penstock.testing import ArtifactStoreTests
from penstock.testing.distant import DistantArtifactStore
from penstock.testing.memory import MemoryArtifactStore

MIB = 1 << 20


class TestBelow(ArtifactStoreTests):
    """A part of a store is a store."""

    shared = False

    @pytest.fixture
    def store(self) -> Iterator[ArtifactStore]:
        whole = MemoryArtifactStore(path="below")
        yield Below.of(whole, "tmp/part/")
        outside = {entry.key for entry in whole.keys("")} - {"tmp/"}
        whole.clear()
        assert outside == set()


def test_a_part_of_a_store_leaves_nothing_to_the_defaults() -> None:
    """A method that is not passed on would be measured instead of the store's own."""
    port = {
        name for name, found in getmembers(ArtifactStore)
        if (callable(found) or isinstance(found, property)) and not name.startswith("_")
        and name in vars(ArtifactStore)
    }  # fmt: skip
    assert port - set(vars(Below)) == set()


def test_a_part_of_a_store_has_its_settings() -> None:
    whole = MemoryArtifactStore(allow_pickle="never", path="somewhere")
    part = Below.of(whole, "tmp/part/")
    assert (part.allow_pickle, part.path, part.name) == ("never", "somewhere", "memory")


def test_content_cannot_be_compressed() -> None:
    value = bytes(Content().one(2 * MIB))
    assert len(zlib.compress(value, 1)) > len(value)


def test_no_two_pieces_of_content_are_equal() -> None:
    content = Content()
    value = content.one(4 * MIB + 1)
    assert len(value) == 4 * MIB + 1
    pieces = [bytes(value[n : n + 4096]) for n in range(0, 4 * MIB, 4096)]
    pieces += content.many(100, 4096)
    assert len(set(pieces)) == len(pieces)


def test_content_is_another_one_each_time() -> None:
    assert Content().one(64) != Content().one(64)


def test_memory_is_what_an_operation_takes_at_its_peak() -> None:
    with Peak() as peak:
        taken = bytearray(os.urandom(1)) * (64 * MIB)
        time.sleep(0.05)
        del taken
    assert peak.growth is not None
    assert 64 * MIB <= peak.growth < 72 * MIB


def test_memory_that_is_kept_is_the_values_own() -> None:
    with Peak() as peak:
        taken = bytearray(os.urandom(1)) * (64 * MIB)
    assert peak.growth is not None
    assert peak.growth >= 64 * MIB
    assert peak.beyond is not None
    assert peak.beyond < 8 * MIB
    del taken


def test_pages_of_a_mapped_file_are_no_memory_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(64 * MIB))
    with Peak() as peak, file.open("rb") as opened:
        mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        assert sum(mapped[::4096]) == 0
        time.sleep(0.01)
        mapped.close()
    assert peak.growth is not None
    assert peak.growth < 8 * MIB


def names(store: LocalArtifactStore) -> list[str]:
    with suppress(FileNotFoundError):
        return sorted(os.listdir(f"{store.path}/tmp"))
    return []


def test_the_place_of_a_bench_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path))
    mine = place(store)
    sweep(store)
    assert len(names(store)) == 1
    mine.remove()
    assert names(store) == []


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        ("bench-{now}-{here}-999999999-1-abcd", True),
        ("bench-{now}-{here}-{process}-1-abcd", True),
        ("bench-{now}-000000000000-1-1-abcd", False),
        ("bench-{old}-000000000000-1-1-abcd", True),
        ("bench-of-somebody", False),
        ("1234-0-abcdef01", False),
    ],
    ids=["dead", "another one of that id", "elsewhere", "elsewhere, old", "no bench", "a write"],
)
def test_what_is_swept(tmp_path: Path, name: str, goes: bool) -> None:
    now = int(time.time())
    name = name.format(
        now=now, old=now - 90_000, here=processes.machine()[:12], process=os.getpid()
    )
    for store, key in ((LocalArtifactStore(path=str(tmp_path)), "a/b"), (memory(), "a/b")):
        store.put(f"tmp/{name}/{key}", [b"left"])
        sweep(store)
        found = [entry.name for entry in store.keys("tmp/")]
        assert found == ([] if goes else [name])


def test_a_distant_store_is_measured_without_what_this_machine_keeps() -> None:
    store = DistantArtifactStore(name="far", path="far", read_cache="1GB")
    Client().register(store)
    report = Client().bench("far", size="2MiB", objects=9)

    reads = (report.rounds + 1) * (1 + 9)  # and once for the memory
    assert store.requests["get"] >= reads
    assert report.distant
    folder = cache_folder()
    assert folder is not None
    assert not (folder / "objects").exists()
    assert list(store.keys()) == []


def memory() -> MemoryArtifactStore:
    return MemoryArtifactStore(path=f"bench-{os.urandom(4).hex()}")


@dataclass(frozen=True, kw_only=True)
class WithFiles(MemoryArtifactStore):
    """A store whose place fsspec knows."""

    @property
    def filesystem(self) -> Any:
        return fsspec.filesystem("memory")


class Refusing(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """A file system that breaks in the middle."""

    def __init__(self, most: int) -> None:
        super().__init__(skip_instance_cache=True)
        self.left = most

    def pipe_file(self, path: str, value: Buffer, **options: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("the pipe leaks")

    def cat_file(self, path: str, **options: Any) -> bytes:
        return b""

    def rm_file(self, path: str) -> None:
        return


@dataclass(frozen=True, kw_only=True)
class WithRefusing(MemoryArtifactStore):
    most: int = 5

    @property
    def filesystem(self) -> Any:
        return _refusing.setdefault(self.name, Refusing(self.most))


_refusing: dict[str, Refusing] = {}


def test_raw_is_what_the_file_system_of_a_store_does(tmp_path: Path) -> None:
    Client().register(WithFiles(name="files", path="with-files"))
    before = fsspec.filesystem("memory").find("/")
    report = Client().bench("files", size="1MiB", objects=9)
    assert report.raw == "pipe_file and cat_file of its fsspec file system"
    assert all(len(figure.raw) == report.rounds for figure in report.figures)
    assert fsspec.filesystem("memory").find("/") == before
    assert list(WithFiles(path="with-files").keys()) == []


def test_a_file_system_that_fails_is_one_error() -> None:
    Client().register(WithRefusing(name="refusing", path="with-refusing"))
    with pytest.raises(StoreUnavailable) as caught:
        Client().bench("refusing", size="1MiB", objects=9)
    assert str(caught.value) == (
        "The artifact store 'refusing' cannot be compared with its file system: RuntimeError: "
        "the pipe leaks."
    )
    assert list(WithRefusing(path="with-refusing").keys()) == []


@dataclass(frozen=True, kw_only=True)
class Leaky(MemoryArtifactStore):
    """A store that breaks while objects are in it."""

    def get(self, key: str) -> Buffer:
        raise StoreUnavailable("the pipe leaks")


def test_what_was_written_is_removed_when_the_store_fails() -> None:
    store = Leaky(name="leaky", path="leaky")
    Client().register(store)
    with pytest.raises(StoreUnavailable, match="the pipe leaks"):
        Client().bench("leaky", size="1MiB", objects=9)
    assert list(store.keys()) == []


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_every_round_begins_without_the_objects_of_the_one_before(
    tmp_path: Path, compression: Literal["none", "zstd"]
) -> None:
    """Otherwise nothing would be written, and quickly."""
    store = LocalArtifactStore(path=str(tmp_path), compression=compression)
    ours = Ours(store)
    handles = [ours.write(value) for value in (bytes(2 * MIB), bytes(8192))]
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == 2
    ours.remove(handles)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_where_each_reading_is_hashed_there_is_one_figure_for_all_of_them(tmp_path: Path) -> None:
    Client().register(LocalArtifactStore(name="strict", path="strict", verify="always"))
    report = Client().bench("strict", size="1MiB", objects=9)
    assert [figure.what for figure in report.figures] == [
        What.WRITE_LARGE, What.READ_LARGE, What.WRITE_SMALL, What.READ_SMALL,
    ]  # fmt: skip


def test_a_store_that_compresses_is_measured_and_left_as_it_was(tmp_path: Path) -> None:
    Client().register(LocalArtifactStore(name="packed", path="packed", compression="zstd"))
    report = Client().bench("packed", size="2MiB", objects=9)
    assert report.compression == "zstd"
    assert not (tmp_path / "packed").exists()


def test_more_than_there_is_room_for_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "a/b"))
    with pytest.raises(StoreUnavailable, match="of room, and"):
        room.check(store, 1 << 60, 1, 1 << 62)
    assert list(tmp_path.iterdir()) == []


def test_more_than_memory_can_hold_twice_is_refused() -> None:
    with pytest.raises(BadArguments) as caught:
        room.check(memory(), 3 * MIB, 1, 4 * MIB)
    assert caught.value.hint == "At most 2.0 MiB can be measured."


def test_no_small_object_at_all_is_refused() -> None:
    with pytest.raises(BadArguments):
        Client().bench(objects=0)


@pytest.mark.parametrize("text", ["2MiB", "2 MiB", " 2Mi ", "2097152", "2097152B", "2.0MiB"])
def test_a_size_is_written_as_people_do(text: str) -> None:
    assert room.parsed(text) == 2 * MIB


def test_a_store_that_cannot_be_written_to_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Client().register(LocalArtifactStore(name="bad", path=str(tmp_path / "file/store")))
    with pytest.raises(PenstockError, match=r"cannot use .*Not a directory"):
        Client().bench("bad", size="1MiB", objects=9)


def figure(seconds: Sequence[float], raw: Sequence[float]) -> Figure:
    return Figure(What.WRITE_LARGE, 1, 1, seconds, raw, None)


def test_percent_of_raw_is_taken_round_by_round() -> None:
    """The machine was slow in the second round, for both."""
    assert figure([2, 20, 2], [1, 10, 1]).percent_of_raw == 50


def test_without_raw_there_is_no_percentage() -> None:
    assert figure([2, 2, 2], []).percent_of_raw is None
