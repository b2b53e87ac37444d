"""Large objects: written and hashed at once, mapped, and hashed once only."""

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts.draft import Draft
from penstock.artifacts.hashed import hashed
from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.mapping import mapped
from penstock.artifacts.objects import StoredObjects, object_key
from penstock.artifacts.source import Buffers, OpenFile, Source
from penstock.artifacts.store import LARGE, Entry
from penstock.digest import Buffer, of_buffers
from penstock.errors import CorruptArtifact, NoSuchKey, StoreUnavailable
from penstock.model.records import Part


class Counting(LocalArtifactStore):
    """Counts what it is asked."""

    def draft(self, source: Source) -> Draft:
        DRAFTS.append(source.size)
        return super().draft(source)


DRAFTS: list[int] = []


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalArtifactStore]:
    DRAFTS.clear()
    return Counting(path=str(tmp_path / "store"))


@pytest.fixture
def objects(store: LocalArtifactStore) -> StoredObjects:
    return StoredObjects(store)


def file_of(store: LocalArtifactStore, part: Part) -> Path:
    return Path(store.path, object_key(part.digest))


def flip(file: Path, place: int = 0) -> None:
    with file.open("r+b", buffering=0) as opened:
        opened.seek(place)
        byte = opened.read(1)[0]
        opened.seek(place)
        opened.write(bytes([byte ^ 1]))


@given(st.lists(st.binary(max_size=50), max_size=8), st.integers(1, 40))
def test_a_source_is_written_in_pieces(buffers: list[bytes], most: int) -> None:
    whole = b"".join(buffers)
    reading, writing = os.pipe()
    with open(reading, "rb") as found:
        ends = list(Buffers(buffers).written_to(writing, most))
        os.close(writing)
        assert found.read() == whole

    assert ends == [*range(most, len(whole), most), len(whole)] if whole else ends == []


@given(st.lists(st.binary(max_size=50), max_size=8), st.lists(st.integers(0, 500)))
def test_samples_are_what_lies_there(buffers: list[bytes], places: list[int]) -> None:
    whole = b"".join(buffers)
    places = sorted(place for place in places if place < len(whole))
    views = Buffers(buffers).samples(places, 3)

    expected, begin = [], 0
    for buffer in buffers:
        ours = [place - begin for place in places if begin <= place < begin + len(buffer)]
        expected += [buffer[place : place + 3] for place in ours]
        begin += len(buffer)
    assert views == b"".join(expected)


def test_a_file_is_written_as_it_is(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(LARGE + 5))
    with source.open("rb") as file, target.open("wb") as copy:
        ends = list(OpenFile(file).written_to(copy.fileno(), LARGE))
        assert OpenFile(file).samples([1, LARGE], 9) == (
            source.read_bytes()[1:10] + source.read_bytes()[LARGE:]
        )

    assert (ends, target.read_bytes()) == ([LARGE, LARGE + 5], source.read_bytes())


@pytest.mark.parametrize("size", [LARGE, 5 * LARGE + 3])
def test_a_value_that_changes_meanwhile_is_stored_as_it_was_hashed(
    objects: StoredObjects, store: LocalArtifactStore, size: int
) -> None:
    data = bytearray(size)
    done = threading.Event()

    def change() -> None:
        number = 0
        while not done.is_set():
            number += 1
            data[:] = bytes([number % 251]) * size

    thread = threading.Thread(target=change)
    thread.start()
    try:
        parts = [objects.put([data]) for _ in range(5)]
    finally:
        done.set()
        thread.join()

    assert [of_buffers([store.get(object_key(part.digest))]) for part in parts] == [
        part.digest for part in parts
    ]


def test_a_value_that_was_stored_before_is_not_written_again(
    objects: StoredObjects, store: LocalArtifactStore
) -> None:
    data = bytearray(os.urandom(2 * LARGE))
    first = objects.put([data])
    again = StoredObjects(store).put([data])
    data[7] ^= 1
    other = objects.put([data])

    assert first == again != other
    assert DRAFTS == [2 * LARGE] * 2


def test_a_value_whose_object_is_gone_is_written_again(
    objects: StoredObjects, store: LocalArtifactStore
) -> None:
    data = os.urandom(LARGE)
    part = objects.put([data])
    file_of(store, part).unlink()
    objects.put([data])

    assert bytes(objects.get(part, "It")) == data


def test_an_object_that_was_cut_short_is_healed(
    objects: StoredObjects, store: LocalArtifactStore
) -> None:
    data = os.urandom(LARGE)
    part = objects.put([data])
    file_of(store, part).write_bytes(b"short")
    objects.put([data])

    assert bytes(objects.get(part, "It")) == data
    assert list(Path(store.path, "tmp").iterdir()) == []


def test_a_folder_in_the_place_of_an_object_is_said_with_a_cure(
    objects: StoredObjects, store: LocalArtifactStore
) -> None:
    data = os.urandom(LARGE)
    part = objects.put([data])
    file_of(store, part).unlink()
    file_of(store, part).mkdir()
    with pytest.raises(StoreUnavailable, match="what is there is no file") as caught:
        objects.put([data])

    assert caught.value.hint == "Move it away and run again: finished steps are kept."
    assert list(Path(store.path, "tmp").iterdir()) == []


def test_an_object_is_not_moved_aside_for_a_wrong_size_in_a_record(
    objects: StoredObjects, store: LocalArtifactStore
) -> None:
    part = objects.put([b"whole" * 2000])
    with pytest.raises(CorruptArtifact, match="has 10000 bytes, and what names it says 7"):
        objects.get(Part(part.digest, 7), "It")

    assert bytes(objects.get(part, "It")) == b"whole" * 2000


class PutMeanwhile(LocalArtifactStore):
    """What nobody has yet is there a moment later."""

    def stat(self, key: str) -> Entry:
        raise NoSuchKey(key)


def test_what_is_put_while_somebody_fetches_it_is_not_corrupt(
    objects: StoredObjects, store: LocalArtifactStore
) -> None:
    part = objects.put_as_is(b"a plan")
    found = StoredObjects(PutMeanwhile(path=store.path)).fetch(part.digest, "It")

    assert bytes(found) == b"a plan"


def test_what_is_fetched_by_its_digest_is_checked(
    objects: StoredObjects, store: LocalArtifactStore
) -> None:
    part = objects.put_as_is(b"a plan")
    flip(file_of(store, part))
    with pytest.raises(CorruptArtifact, match="It"):
        objects.fetch(part.digest, "It")
    with pytest.raises(NoSuchKey, match="It is gone from the store"):
        objects.fetch(part.digest, "It")


def test_what_this_machine_wrote_is_not_hashed_again(
    objects: StoredObjects, store: LocalArtifactStore
) -> None:
    part = objects.put([os.urandom(LARGE)])

    # Nothing else can tell: so a fact is planted, and believed.
    stamp = store.stamp(object_key(part.digest))
    wrong = Part("0" * 64, LARGE)
    file_of(store, wrong).parent.mkdir(parents=True)
    os.link(file_of(store, part), file_of(store, wrong))
    assert stamp is not None
    with pytest.raises(CorruptArtifact, match="It: the object objects/00/0"):
        objects.get(wrong, "It")
    os.link(file_of(store, part), file_of(store, wrong))
    stamp = store.stamp(object_key(wrong.digest))
    assert stamp is not None
    hashed().add(stamp, wrong.digest)
    objects.get(wrong, "It")
    with pytest.raises(CorruptArtifact, match="It: the object objects/00/0"):
        StoredObjects(LocalArtifactStore(path=store.path, verify="always")).get(wrong, "It")


def test_another_process_knows_it_too(tmp_path: Path, store: LocalArtifactStore) -> None:
    part = StoredObjects(store).put([os.urandom(LARGE)])
    code = (
        "import sys\n"
        "from penstock.artifacts.local import LocalArtifactStore\n"
        "from penstock.artifacts.hashed import hashed\n"
        "from penstock.artifacts.objects import object_key\n"
        "stamp = LocalArtifactStore(path=sys.argv[1]).stamp(object_key(sys.argv[2]))\n"
        "print(hashed().find(stamp) == sys.argv[2])"
    )
    told = subprocess.check_output([sys.executable, "-c", code, store.path, part.digest], text=True)

    assert told == "True\n"


@pytest.mark.parametrize("place", [0, LARGE // 2, LARGE - 1])
def test_a_bit_that_flips_right_after_the_write_is_found(
    objects: StoredObjects, store: LocalArtifactStore, place: int
) -> None:
    part = objects.put([os.urandom(LARGE)])
    flip(file_of(store, part), place)

    with pytest.raises(CorruptArtifact, match="It was moved to corrupt/"):
        objects.get(part, "It")


@pytest.mark.parametrize("pause", [0.0, 0.12])
def test_a_bit_that_flips_right_after_a_read_is_found(
    objects: StoredObjects, store: LocalArtifactStore, pause: float
) -> None:
    data = os.urandom(LARGE)
    part = objects.put([data])
    file = file_of(store, part)
    file.unlink()
    file.write_bytes(data)  # by somebody else, just now
    time.sleep(pause)
    objects.get(part, "It")
    flip(file)

    with pytest.raises(CorruptArtifact):
        objects.get(part, "It")


def test_a_time_that_is_put_back_does_not_help(
    objects: StoredObjects, store: LocalArtifactStore
) -> None:
    part = objects.put([os.urandom(LARGE)])
    file = file_of(store, part)
    status = file.stat()
    time.sleep(0.02)
    flip(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    with pytest.raises(CorruptArtifact):
        objects.get(part, "It")


@pytest.mark.parametrize("flipped", [False, True])
def test_what_is_written_for_a_user_is_checked(
    objects: StoredObjects, store: LocalArtifactStore, tmp_path: Path, flipped: bool
) -> None:
    data = os.urandom(LARGE)
    part = objects.put([data])
    if flipped:
        flip(file_of(store, part))
    fd = os.open(tmp_path / "copy", os.O_RDWR | os.O_CREAT)
    try:
        if flipped:
            with pytest.raises(CorruptArtifact, match="corrupt/"):
                objects.write(part, fd, "It")
        else:
            objects.write(part, fd, "It")
            assert (tmp_path / "copy").read_bytes() == data
    finally:
        os.close(fd)


def test_a_mapping_is_private_and_holds_no_descriptor(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * LARGE)
    with file.open("rb") as opened:
        before = len(os.listdir("/dev/fd"))
        found = [memoryview(mapped(opened.fileno(), LARGE)) for _ in range(50)]
        assert len(os.listdir("/dev/fd")) == before
    found[0][:3] = b"yyy"

    assert bytes(found[0][:4]) == b"yyyx"
    assert bytes(found[1][:4]) == b"xxxx"
    assert file.read_bytes() == b"x" * LARGE


def test_a_mapping_ends_with_its_last_view(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * LARGE)
    with file.open("rb") as opened:
        view = memoryview(mapped(opened.fileno(), LARGE))[5:10]
    assert str(file) in Path("/proc/self/maps").read_text()
    assert bytes(view) == b"xxxxx"
    del view

    assert str(file) not in Path("/proc/self/maps").read_text()


def test_a_mapping_ends_without_python(tmp_path: Path) -> None:
    """A signal that came meanwhile would raise its error in a finalizer, where it is lost."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * LARGE)
    with file.open("rb") as opened:
        found = [mapped(opened.fileno(), LARGE)]
    seen: list[str] = []
    sys.setprofile(lambda frame, event, _: seen.append(frame.f_code.co_qualname))
    found.clear()
    sys.setprofile(None)

    assert str(file) not in Path("/proc/self/maps").read_text()
    assert {name for name in seen if "finalize" in name} == set()
    assert len(seen) <= 3  # of this test itself


def test_what_cannot_be_mapped_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        mapped(9999, LARGE)


def test_a_file_that_grows_too_large_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from penstock.artifacts.local import LocalArtifactStore\n"
        "from penstock.artifacts.objects import StoredObjects\n"
        "from penstock.errors import StoreUnavailable\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6 << 20, 6 << 20))\n"
        "try:\n"
        "    StoredObjects(LocalArtifactStore(path=sys.argv[1])).put([bytes(30 << 20)])\n"
        "except StoreUnavailable as error:\n"
        "    print(error)\n"
    )
    told = subprocess.check_output([sys.executable, "-c", code, str(tmp_path / "s")], text=True)

    assert "File too large" in told
    assert [path for path in (tmp_path / "s").rglob("*") if path.is_file()] == []


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = LocalArtifactStore(path=str(tmp_path / "file"))

    with pytest.raises(StoreUnavailable, match="cannot use"):
        StoredObjects(store).put([bytes(LARGE)])


def test_no_memory_is_needed_to_write(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from penstock.artifacts.local import LocalArtifactStore\n"
        "from penstock.artifacts.objects import StoredObjects\n"
        "data = bytes(1 << 28)\n"
        "store = LocalArtifactStore(path=sys.argv[1])\n"
        "StoredObjects(store).put([bytes(8 << 20)])\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (128 << 20),) * 2)\n"
        "part = StoredObjects(store).put([data])\n"
        "print(part.size)\n"
    )
    told = subprocess.check_output([sys.executable, "-c", code, str(tmp_path / "s")], text=True)

    assert told == f"{1 << 28}\n"


def test_a_fork_can_hash(tmp_path: Path) -> None:
    data: Buffer = bytes(8 * LARGE)
    here = of_buffers([data])
    limit = resource.getrlimit(resource.RLIMIT_CPU)
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (20, limit[1]))
        os._exit(of_buffers([data]) != here)
    assert os.waitpid(child, 0)[1] == 0
