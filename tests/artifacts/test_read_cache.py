"""The read cache: what was read or written once is on this machine, and right."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import children
import pytest
import refusing

from penstock.artifacts.distant import FRESH
from penstock.artifacts.distant_objects import DistantObjects
from penstock.artifacts.hashed import Hashed
from penstock.artifacts.objects import object_key
from penstock.artifacts.room import LEFT_BEHIND, SHARE, Room
from penstock.artifacts.source import OpenFile
from penstock.artifacts.store import LARGE, Buffer
from penstock.artifacts.values import NOTHING, Trust, Values
from penstock.digest import of_buffers
from penstock.errors import BadConfiguration, CorruptArtifact, NoSuchKey
from penstock.model.records import Part
from penstock.model.user import cache_folder
from penstock.testing.distant import DistantArtifactStore

SIZES = [5000, LARGE, 5 * LARGE + 3]


def store_at(name: str, size: str = "1GB") -> DistantArtifactStore:
    store = DistantArtifactStore(path=name, read_cache=size)
    store.clear()
    store.forget_requests()
    return store


@pytest.fixture
def store(request: pytest.FixtureRequest) -> DistantArtifactStore:
    return store_at(request.node.name)


@pytest.fixture
def objects(store: DistantArtifactStore) -> DistantObjects:
    return DistantObjects(store, Hashed(None))


def folder() -> Path:
    cache = cache_folder()
    assert cache is not None
    return cache / "objects"


def files() -> dict[str, Path]:
    return {path.name: path for path in folder().rglob("*") if path.is_file()}


def put_by_others(store: DistantArtifactStore, data: bytes) -> Part:
    """An object that this machine has never seen."""
    part = Part(of_buffers([data]), len(data))
    store.put(object_key(part.digest), [data])
    store.forget_requests()
    return part


def flip(file: Path, place: int = 0) -> None:
    with file.open("r+b", buffering=0) as opened:
        opened.seek(place)
        byte = opened.read(1)[0]
        opened.seek(place)
        opened.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("in_memory", [False, True])
def test_a_second_load_makes_no_request(
    objects: DistantObjects, store: DistantArtifactStore, size: int, in_memory: bool
) -> None:
    data = os.urandom(size)
    part = put_by_others(store, data)
    first = objects.get(part, "It", in_memory=in_memory)
    assert store.requests == Counter(get=1)
    second = objects.get(part, "It", in_memory=in_memory)

    assert bytes(first) == bytes(second) == data
    assert store.requests == Counter(get=1)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_loaded_without_a_request(
    objects: DistantObjects, store: DistantArtifactStore, size: int
) -> None:
    data = os.urandom(size)
    part = objects.put([data[:1000], data[1000:]])
    store.forget_requests()

    assert bytes(objects.get(part, "It")) == data
    assert store.requests == Counter()


def test_a_small_object_is_one_request_there_and_one_back(store: DistantArtifactStore) -> None:
    objects = DistantObjects(replace(store, read_cache="0"))
    part = objects.put([os.urandom(9000)], look=True)
    assert store.requests == Counter(put=1)
    objects.get(part, "It")

    assert store.requests == Counter(put=1, get=1)


def test_a_large_object_is_looked_for_before_it_is_sent(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    data = os.urandom(LARGE)
    first = objects.put([data])
    assert store.requests == Counter(head=1, put=1)
    again = objects.put([data])

    assert first == again
    assert store.requests == Counter(head=2, put=1)


@pytest.mark.parametrize("size", [20_000, 2 * LARGE])
def test_a_compressed_object_is_one_request_there_and_none_back(
    store: DistantArtifactStore, size: int
) -> None:
    objects = DistantObjects(replace(store, compression="zstd"), Hashed(None))
    data = os.urandom(100) * (size // 100)
    part = objects.put([data])
    assert store.requests["put"] == 1
    store.forget_requests()

    assert bytes(objects.get(part, "It")) == data
    assert store.requests == Counter()
    without = DistantObjects(replace(store, compression="zstd", read_cache="0"))
    assert bytes(without.get(part, "It")) == data
    assert store.requests == Counter(get=1)


def test_what_is_fetched_by_its_digest_is_fetched_once(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    part = put_by_others(store, b"a plan")
    found = [bytes(objects.fetch(part.digest, "It")) for _ in range(2)]

    assert found == [b"a plan"] * 2
    assert store.requests == Counter(get=1)


def test_what_another_store_has_too_is_not_read_from_it(objects: DistantObjects) -> None:
    data = os.urandom(2 * LARGE)
    part = objects.put([data])
    other = store_at("another")

    assert bytes(DistantObjects(other).get(part, "It")) == data
    assert other.requests == Counter()


def test_a_user_may_write_to_what_was_loaded(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    data = os.urandom(2 * LARGE)
    part = put_by_others(store, data)
    for _ in range(3):
        found = objects.get(part, "It")
        assert bytes(found) == data
        memoryview(found)[:5] = b"other"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("damage", [flip, lambda file: os.truncate(file, 100)])
def test_a_damaged_file_is_not_handed_out_and_heals(
    objects: DistantObjects,
    store: DistantArtifactStore,
    size: int,
    seen: bool,
    damage: Callable[[Path], None],
) -> None:
    data = os.urandom(size)
    part = put_by_others(store, data)
    objects.get(part, "It")
    if seen:
        objects.get(part, "It")
    damage(files()[part.digest])
    store.forget_requests()

    assert bytes(objects.get(part, "It")) == data
    assert store.requests == Counter(get=1)
    assert files()[part.digest].read_bytes() == data


def test_a_value_that_changes_while_it_is_sent_poisons_nothing(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    data = bytearray(os.urandom(2 * LARGE))

    class Changing(DistantArtifactStore):
        def put(self, key: str, buffers: object, *, exclusive: bool = False) -> None:
            data[:] = bytes(len(data))
            super().put(key, buffers, exclusive=exclusive)  # type: ignore[arg-type]

    before = bytes(data)
    part = DistantObjects(Changing(path=store.path, read_cache="1GB")).put([data])

    assert bytes(store.get(object_key(part.digest))) == before
    assert bytes(objects.get(part, "It")) == before


def test_what_came_is_not_hashed_again(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    part = put_by_others(store, os.urandom(2 * LARGE))
    objects.get(part, "It")
    file = files()[part.digest]

    # Nothing else can tell: so a fact is planted, and believed.
    wrong = "0" * 64
    (folder() / "00").mkdir(exist_ok=True)
    os.link(file, folder() / "00" / wrong)
    objects.get(part, "It")
    status = file.stat()
    stamp = f"{status.st_dev} {status.st_ino} {status.st_size} "
    stamp += f"{status.st_mtime_ns} {status.st_ctime_ns}"
    objects._hashed.add(stamp, wrong)

    assert bytes(objects.get(Part(wrong, part.size), "It")) == file.read_bytes()


@pytest.mark.parametrize("digest", ["../victim", "/etc/passwd", "..", ""])
def test_a_digest_is_no_way_out_of_the_folder(objects: DistantObjects, digest: str) -> None:
    objects.put([bytes(5000)])
    victim = folder().parent.parent / "victim"
    victim.write_bytes(b"victim")
    with pytest.raises(CorruptArtifact, match="is no digest"):
        objects.get(Part(digest, 6), "It")
    with pytest.raises(CorruptArtifact, match="is no digest"):
        objects.fetch(digest, "It")

    assert victim.read_bytes() == b"victim"


def test_an_object_that_is_corrupt_there_is_moved_aside_and_not_kept(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    for size in SIZES:
        part = Part(of_buffers([bytes(size)]), size)
        store.put(object_key(part.digest), [os.urandom(size)])
        with pytest.raises(CorruptArtifact, match=f"moved to corrupt/{part.digest}"):
            objects.get(part, "It")
        with pytest.raises(NoSuchKey, match="It is gone from the store"):
            objects.get(part, "It")

    assert files() == {}


def test_what_was_damaged_on_the_way_only_is_read_again(store: DistantArtifactStore) -> None:
    part = put_by_others(store, os.urandom(2 * LARGE))

    class Flipping(DistantArtifactStore):
        def read(self, key: str, seen: Callable[[Buffer], object]) -> Buffer:
            data = bytearray(self.get(key))
            data[77] ^= 1
            seen(data)
            return data

    found = DistantObjects(Flipping(path=store.path)).get(part, "It")

    assert of_buffers([found]) == part.digest


def test_what_a_cache_says_of_a_wrong_size_is_said_by_the_store(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    part = objects.put([b"whole" * 2000])
    with pytest.raises(CorruptArtifact, match="has 10000 bytes, and what names it says 7"):
        objects.get(Part(part.digest, 7), "It")

    assert bytes(objects.get(part, "It")) == b"whole" * 2000


def test_no_more_is_kept_than_was_said(store: DistantArtifactStore) -> None:
    most = 1_000_000
    objects = DistantObjects(replace(store, read_cache=str(most)), Hashed(None))
    for size in [*[60_000] * 40, 5_000, most - 1, 100_000, 2 * most]:
        part = put_by_others(store, os.urandom(size))
        objects.get(part, "It")
        assert sum(file.stat().st_size for file in files().values()) <= most
        assert (part.digest in files()) == (size <= most)


def test_what_was_used_last_stays(store: DistantArtifactStore) -> None:
    objects = DistantObjects(replace(store, read_cache="1M"), Hashed(None))
    parts = [put_by_others(store, os.urandom(200_000)) for _ in range(5)]
    for age, part in enumerate(parts[:4]):
        objects.get(part, "It")
        then = time.time() - 7200 * (4 - age)
        os.utime(files()[part.digest], (then, then))
    objects.get(parts[0], "It")
    objects.get(parts[4], "It")

    assert {part.digest for part in (parts[0], parts[3], parts[4])} <= files().keys()
    assert parts[1].digest not in files()


def test_many_processes_together_keep_to_it_about(tmp_path: Path) -> None:
    most = 64_000
    for number in range(300):
        room = Room(str(tmp_path / "room"), most)  # as one process has that writes once
        assert room.admits(1000)
        temp, fd = room.temporary()
        os.write(fd, bytes(1000))
        os.close(fd)
        room.name(temp, f"{number:064}")
    held = sum(1000 for path in tmp_path.rglob("0*") if path.is_file())

    assert held <= most + 20 * most // SHARE


def test_what_a_killed_writer_left_goes_in_time(store: DistantArtifactStore) -> None:
    objects = DistantObjects(replace(store, read_cache="1M"), Hashed(None))
    objects.put([os.urandom(100_000)])
    left = folder() / "tmp" / "1-abc"
    young = folder() / "tmp" / "2-abc"
    left.write_bytes(b"half")
    young.write_bytes(b"half")
    then = time.time() - 2 * LEFT_BEHIND
    os.utime(left, (then, then))
    objects.put([os.urandom(100_000)])

    assert not left.exists()
    assert young.exists()


def test_a_reader_who_is_killed_leaves_nothing_under_a_digest(store: DistantArtifactStore) -> None:
    data = os.urandom(3 * LARGE)
    part = put_by_others(store, data)

    class Dying(DistantArtifactStore):
        def read(self, key: str, seen: Callable[[Buffer], object]) -> Buffer:
            seen(data[:LARGE])
            while not any(file.stat().st_size for file in files().values()):
                time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError

    pid = children.forked(
        lambda: DistantObjects(Dying(path=store.path, read_cache="1GB")).get(part, "")
    )
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert part.digest not in files()
    assert len(files()) == 1

    assert bytes(DistantObjects(store).get(part, "It")) == data
    assert part.digest in files()


def test_a_reader_who_is_stopped_leaves_nothing(store: DistantArtifactStore) -> None:
    part = put_by_others(store, bytes(3 * LARGE))

    class Stopped(DistantArtifactStore):
        def read(self, key: str, seen: Callable[[Buffer], object]) -> Buffer:
            seen(bytes(LARGE))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DistantObjects(Stopped(path=store.path, read_cache="1GB")).get(part, "It")

    assert files() == {}


def test_processes_that_read_the_same_at_once_all_get_it(store: DistantArtifactStore) -> None:
    data = os.urandom(2 * LARGE)
    part = put_by_others(store, data)

    def read() -> bool:
        return all(bytes(DistantObjects(store).get(part, "It")) == data for _ in range(10))

    assert children.at_once(read, 4) == [True] * 4
    assert list(files()) == [part.digest]


@pytest.mark.skipif(not refusing.POSSIBLE, reason="needs seccomp")
def test_a_full_disk_costs_the_cache_only(store: DistantArtifactStore) -> None:
    data = {size: os.urandom(size) for size in SIZES}

    def work() -> list[bool]:
        refusing.refuse(writev=errno.ENOSPC)
        objects = DistantObjects(store, Hashed(None))
        parts = [objects.put([each]) for each in data.values()]
        return [bytes(objects.get(part, "It")) == data[part.size] for part in parts * 2]

    assert children.child(work) == [True] * 6
    assert files() == {}


def test_a_folder_that_cannot_be_written_to_costs_the_cache_only(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    folder().mkdir(parents=True, mode=0o700)
    (folder() / "tmp").write_bytes(b"")
    for size in SIZES:
        part = put_by_others(store, bytes(size))
        assert len(objects.get(part, "It")) == size

    assert list(files()) == ["tmp"]


def test_a_home_that_is_no_folder_costs_the_cache_only(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    folder().parent.parent.mkdir(parents=True)
    folder().parent.write_bytes(b"")
    part = put_by_others(store, bytes(2 * LARGE))
    objects.put([bytes(LARGE)])
    found = [bytes(objects.get(part, "It")) for _ in range(2)]

    assert found == [bytes(2 * LARGE)] * 2
    assert store.requests == Counter(head=1, put=1, get=2)


def test_a_user_without_a_home_has_none(
    store: DistantArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "nowhere")
    part = put_by_others(store, bytes(LARGE))
    objects = DistantObjects(store)
    for _ in range(2):
        objects.get(part, "It")

    assert store.requests == Counter(get=2)


def test_the_folder_is_for_this_user_alone(objects: DistantObjects) -> None:
    previous = os.umask(0)
    try:
        part = objects.put([bytes(LARGE)])
        small = objects.put([bytes(5000)])
    finally:
        os.umask(previous)

    assert folder().stat().st_mode & 0o777 == 0o700
    assert {files()[each.digest].stat().st_mode & 0o777 for each in (part, small)} == {0o600}


def test_a_folder_that_others_may_read_is_closed(objects: DistantObjects) -> None:
    folder().mkdir(parents=True)
    folder().chmod(0o777)
    objects.put([bytes(5000)])

    assert folder().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("size", SIZES)
def test_what_others_may_write_to_is_not_used(
    objects: DistantObjects, store: DistantArtifactStore, size: int
) -> None:
    part = objects.put([bytes(size)])
    files()[part.digest].chmod(0o666)
    store.forget_requests()
    objects.get(part, "It")

    assert store.requests == Counter(get=1)
    assert files()[part.digest].stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_the_folder_of_another_user_is_refused(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    part = objects.put([bytes(LARGE)])
    os.chown(folder(), 64_101, -1)
    store.forget_requests()
    objects.get(part, "It")
    objects.put([bytes(9000)])

    assert store.requests == Counter(get=1, put=1)
    assert list(files()) == [part.digest]


def test_a_link_in_the_place_of_the_folder_is_not_followed(
    objects: DistantObjects, tmp_path: Path
) -> None:
    folder().parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder().symlink_to(tmp_path / "elsewhere")
    objects.put([bytes(9000)])

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_of_the_users_is_kept_too(
    objects: DistantObjects, store: DistantArtifactStore, tmp_path: Path
) -> None:
    data = os.urandom(5 * LARGE)
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb") as file:
        part = objects.put(OpenFile(file))
    store.forget_requests()
    with (tmp_path / "copy").open("wb+") as copy:
        objects.write(part, copy.fileno(), "It")

    assert (tmp_path / "copy").read_bytes() == data
    assert store.requests == Counter()


def test_what_is_no_size_is_said() -> None:
    with pytest.raises(BadConfiguration, match="read_cache='much', which is no size"):
        DistantArtifactStore(read_cache="much")


def test_another_process_loads_without_a_request_or_a_hash(store: DistantArtifactStore) -> None:
    part = put_by_others(store, os.urandom(2 * LARGE))
    DistantObjects(store).get(part, "It")
    code = (
        "import sys\n"
        "from penstock.artifacts import read_cache\n"
        "from penstock.artifacts.hashed import hashed\n"
        "def nobody(buffers):\n"
        "    raise AssertionError('hashed again')\n"
        "read_cache.of_buffers = nobody\n"
        "found = read_cache.read_cache(1 << 30, hashed()).find(sys.argv[1])\n"
        "print(len(found))"
    )
    told = subprocess.check_output([sys.executable, "-c", code, part.digest], text=True)

    assert told == f"{part.size}\n"


def test_small_objects_that_are_expected_are_fetched_together(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    data = [os.urandom(5000 + number) for number in range(30)]
    parts = [put_by_others(store, each) for each in data]
    objects.get(parts[0], "It")
    asked: list[int] = []

    class Asked(DistantArtifactStore):
        def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
            wanted = list(keys)
            asked.append(len(wanted))
            return super().get_all(wanted)

    DistantObjects(Asked(path=store.path, read_cache="1GB")).expect(parts)
    store.forget_requests()

    assert asked == [29]
    assert [bytes(objects.get(part, "It")) for part in parts] == data
    assert store.requests == Counter()


def test_what_is_expected_and_damaged_is_said_when_it_is_wanted(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    part = Part(of_buffers([bytes(5000)]), 5000)
    gone = Part(of_buffers([bytes(6000)]), 6000)
    store.put(object_key(part.digest), [os.urandom(5000)])
    objects.expect([part, gone])
    with pytest.raises(CorruptArtifact, match="moved to corrupt/"):
        objects.get(part, "It")
    with pytest.raises(NoSuchKey, match="is gone"):
        objects.get(gone, "It")


def test_a_folder_is_loaded_in_few_rounds(store: DistantArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for number in range(50):
        (tmp_path / "folder" / str(number)).write_bytes(os.urandom(100))
    values = Values(replace(store, read_cache="0"), lambda names: NOTHING)
    artifact = values.save(tmp_path / "folder", Path, "It")
    (tmp_path / "copy").mkdir()
    (tmp_path / "another").mkdir()
    reading = Values(store, lambda names: NOTHING)
    store.forget_requests()
    reading.load(artifact, Path, "It", lambda: tmp_path / "copy", Trust(True))
    first = store.requests
    reading.load(artifact, Path, "It", lambda: tmp_path / "another", Trust(True))

    assert first["get"] <= 51
    assert store.requests == first


def test_whether_many_objects_are_there_is_asked_at_once(
    objects: DistantObjects, store: DistantArtifactStore
) -> None:
    parts = [objects.put([os.urandom(5000)]) for _ in range(5)]
    gone = Part("0" * 64, 5)
    store.forget_requests()

    assert (objects.has_all(parts), objects.use_all(parts)) == (True, True)
    assert store.requests == Counter(head=10)
    assert objects.those_there([*parts, gone]) == set(parts)
    assert not objects.use_all([gone, *parts])


def test_what_is_old_and_relied_on_is_made_young(
    objects: DistantObjects, store: DistantArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [objects.put([os.urandom(5000)]) for _ in range(3)]
    store.forget_requests()
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 2 * FRESH)

    assert objects.use_all(parts)
    assert store.requests == Counter(head=3, copy=3)
