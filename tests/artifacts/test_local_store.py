import errno
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import children
import pytest
import refusing
from small_disks import mount_namespace

from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.store import ArtifactStore
from penstock.digest import of_buffers
from penstock.errors import BadConfiguration, KeyTaken, NoSuchKey, StoreUnavailable
from penstock.testing.artifact_store import ArtifactStoreTests


class TestLocalStore(ArtifactStoreTests):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        return LocalArtifactStore(path=str(tmp_path / "store"))


class TestStoreThatOutlivesPowerFailure(ArtifactStoreTests):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        return LocalArtifactStore(path=str(tmp_path / "store"), durability="power")


def test_the_suite_finds_every_planted_defect(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    planted = Path(__file__).with_name("planted_stores.py")
    names = re.findall(
        r'class (\w+)\(Local.*\n    caught_by: ClassVar = "(.*)"', planted.read_text()
    )
    sound = [("LocalArtifactStore", test) for _, test in names]
    tests = dict.fromkeys(f"{planted}::Test{kind}::{test}" for kind, test in names + sound)
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", "/dev/null"]
    places = ["--rootdir", str(tmp_path), "--junitxml", str(report)]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *places, *tests],
        capture_output=True,
        check=False,
    )
    failed = {
        (case.attrib["classname"].rpartition(".Test")[2], case.attrib["name"]): bool(len(case))
        for case in ElementTree.parse(report).iter("testcase")
    }

    assert failed == {**dict.fromkeys(names, True), **dict.fromkeys(sound, False)}
    assert len(names) > 15


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    return LocalArtifactStore(path=str(tmp_path / "store"))


refusable = pytest.mark.skipif(
    not refusing.POSSIBLE, reason="NOT TESTED: no way to have the kernel refuse calls is known here"
)


def leftovers(store: LocalArtifactStore) -> list[str]:
    folder = Path(store.path, "tmp")
    return os.listdir(folder) if folder.exists() else []


def keys(store: ArtifactStore, prefix: str = "") -> list[str]:
    return [entry.key for entry in store.keys(prefix)]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_nothing_stays_in_tmp(store: LocalArtifactStore) -> None:
    store.put("a", [b"1"])
    store.put("a", [b"2"])
    store.publish(["a", "b"], b"3")
    with pytest.raises(KeyTaken):
        store.put("a", [b"4"], exclusive=True)
    with pytest.raises(TypeError):
        store.put("c", ["text"])  # type: ignore[list-item]
    with pytest.raises(StoreUnavailable, match="a/b: Not a directory"):
        store.put("a/b", [b"below an object"])

    assert leftovers(store) == []


def test_a_link_that_leads_to_itself_is_no_object(store: LocalArtifactStore) -> None:
    store.put("a", [b"1"])
    store.put("b", [b"2"])
    Path(store.path, "ab").symlink_to("ab")

    assert keys(store) == ["a", "b"]


def test_no_file_stays_open(store: LocalArtifactStore) -> None:
    store.put("small", [b"1"])
    before = open_files()
    for _ in range(5):
        store.put("large", [bytes(2 << 20)])
        store.get("large")
        list(store.keys())
        for fails in ("small/x", "nothing"):
            with suppress(NoSuchKey, StoreUnavailable):
                store.get(fails)
            with suppress(StoreUnavailable):
                store.put(f"{fails}/x", [b"1"])

    assert open_files() == before


@refusable
@pytest.mark.parametrize("durability", ["process", "power"])
@pytest.mark.parametrize(
    ("call", "error", "reason"),
    [
        ("writev", errno.ENOSPC, "the disk is full"),
        ("writev", errno.EDQUOT, "the disk quota is used up"),
        ("link", errno.ENOSPC, "the disk is full"),
        ("fsync", errno.EIO, "Input/output error"),
    ],
)
def test_a_write_that_fails_leaves_nothing(
    store: LocalArtifactStore, durability: Any, call: str, error: int, reason: str
) -> None:
    store = replace(store, durability=durability)
    store.put("a", [b"before"])

    def fail() -> list[str]:
        refusing.refuse(**{call: error})
        said = []
        for exclusive in (True, False):
            with suppress(KeyTaken):
                try:
                    store.put(f"b/{exclusive}", [b"1"], exclusive=exclusive)
                except StoreUnavailable as refused:
                    said.append(refused.message)
        return said

    said = children.child(fail)
    assert leftovers(store) == []
    assert keys(store) in (["a"], ["a", "b/"])
    if (call, durability) == ("fsync", "process"):
        assert said == []
    else:
        assert said[0].startswith("The artifact store 'local' cannot use ")
        assert all(text.endswith(f": {reason}.") for text in said)


@refusable
def test_a_full_disk_is_said_with_a_cure(store: LocalArtifactStore) -> None:
    def fail() -> str:
        refusing.refuse(writev=errno.ENOSPC)
        with pytest.raises(StoreUnavailable) as caught:
            store.put("a", [b"1"])
        return str(caught.value)

    assert children.child(fail) == (
        f"The artifact store 'local' cannot use {store.path}: the disk is full.\n"
        "Make room and run again: finished steps are kept."
    )


FULL = """
import json, os, subprocess, sys
from penstock import LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.errors import PenstockError

@step
def small() -> bytes:
    return b"s" * 10_000

@step
def big(data: bytes) -> bytes:
    return b"b" * 3_000_000

@pipeline
def both():
    return big(small())

store = LocalArtifactStore(path=sys.argv[1] + "/store")
run = both.on(Stack("full", orchestrator=LocalOrchestrator(), artifact_store=store)).run
said = []
try:
    run()
except PenstockError as error:
    said.append(str(error.__cause__ or error))
left = os.listdir(store.path + "/tmp")
subprocess.run(["mount", "-o", "remount,size=20m", "tmpfs", sys.argv[1]], check=True)
after = {view.id: str(view.status) for view in run()}
print(json.dumps([said, left, after]))
"""


def test_a_run_on_a_disk_that_fills_up_goes_on_when_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "full.py").write_text(FULL)
    (tmp_path / "disk").mkdir()
    if (space := mount_namespace()) is None:
        pytest.skip("NOT TESTED: no disk can be made here, neither by root nor in a user namespace")
    inside = 'mount -t tmpfs -o size=2m tmpfs disk && exec "$@"'
    command = [*space, "sh", "-c", inside, "sh", sys.executable, "full.py", str(tmp_path / "disk")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert done.returncode == 0, done.stderr
    said, left, after = json.loads(done.stdout)
    assert "".join(said) == (
        f"The artifact store 'local' cannot use {tmp_path}/disk/store: the disk is full.\n"
        "Make room and run again: finished steps are kept."
    )
    assert left == []
    assert after == {"small": "cached", "big": "completed"}


def test_a_store_that_cannot_be_written_is_said_with_a_cure() -> None:
    with children.open_folder() as folder:
        store = LocalArtifactStore(path=str(folder / "store"))
        store.put("a", [b"1"])
        (folder / "store" / "tmp").rmdir()
        (folder / "store").chmod(0o555)

        def write() -> tuple[bytes, str]:
            with pytest.raises(StoreUnavailable) as caught:
                store.put("b", [b"2"])
            return bytes(store.get("a")), str(caught.value)

        try:
            data, said = children.child(write, uid=None if os.getuid() else 65534)
        finally:
            (folder / "store").chmod(0o755)
    assert data == b"1"
    assert said == (
        f"The artifact store 'local' cannot use {folder}/store: permission denied.\n"
        "Use another stack, or a LocalArtifactStore(path=…) that you may write to."
    )


def test_an_object_that_may_not_be_read_is_not_missing() -> None:
    with children.open_folder() as folder:
        store = LocalArtifactStore(path=str(folder))
        store.put("a", [b"1"])
        (folder / "a").chmod(0)

        def read() -> str:
            with pytest.raises(StoreUnavailable) as caught:
                store.get("a")
            return caught.value.message

        said = children.child(read, uid=None if os.getuid() else 65534)
    assert said == f"The artifact store 'local' cannot use {folder}/a: permission denied."


@refusable
@pytest.mark.parametrize("error", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK])
def test_without_hard_links_a_key_is_given_once(store: LocalArtifactStore, error: int) -> None:
    def put() -> list[str]:
        refusing.refuse(link=error)
        store.put("a/b", [b"1"], exclusive=True)
        with pytest.raises(KeyTaken):
            store.put("a/b", [b"2"], exclusive=True)
        return [*store.publish(["a/b", "c"], b"3"), *leftovers(store)]

    assert children.child(put) == ["a/b"]
    assert (bytes(store.get("a/b")), bytes(store.get("c"))) == (b"1", b"3")


@refusable
def test_without_hard_links_one_of_many_processes_gets_a_key(store: LocalArtifactStore) -> None:
    def race(number: int) -> int:
        refusing.refuse(link=errno.EPERM)
        won = 0
        for key in range(50):
            with suppress(KeyTaken):
                store.put(f"a/{key}", [b"%d" % number], exclusive=True)
                won += 1
        return won

    with ThreadPoolExecutor(4) as threads:
        won = list(threads.map(lambda number: children.child(lambda: race(number)), range(4)))
    held = [bytes(store.get(f"a/{key}")) for key in range(50)]
    assert won == [held.count(b"%d" % number) for number in range(4)]


def test_links_may_run_out_between_two_names(
    store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def once(source: str, target: str) -> None:
        if target.endswith("/b"):
            raise OSError(errno.EMLINK, "too many links")
        link(source, target)

    monkeypatch.setattr(os, "link", once)

    assert store.publish(["a", "b", "c"], b"1") == ()
    assert keys(store) == ["a", "b", "c"]


def test_a_taken_key_may_be_deleted_meanwhile(
    store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(source: str, target: str) -> None:
        raise FileExistsError(errno.EEXIST, "there was one")

    monkeypatch.setattr(os, "link", taken)
    with pytest.raises(KeyTaken):
        store.put("a", [b"1"], exclusive=True)


def test_a_folder_may_be_taken_away_again_before_its_first_file(
    store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cleaning takes empty folders of runs for what is left of one; it may just begin."""
    store.put("runs/0/run.json", [b"{}"])
    make = os.makedirs
    taken: list[str] = []

    def made(folder: str, **options: Any) -> None:
        make(folder, **options)
        if len(taken) < 5:
            taken.append(folder)
            os.rmdir(folder)

    monkeypatch.setattr(os, "makedirs", made)
    store.put("runs/1/run.json", [b"{}"])
    assert taken == [f"{store.path}/runs/1"] * 5
    assert keys(store, "runs/1/") == ["runs/1/run.json"]


@refusable
def test_where_nothing_is_exclusive_it_is_said(store: LocalArtifactStore) -> None:
    def put() -> str:
        refusing.refuse(link=errno.EPERM, renameat2=errno.EINVAL)
        with pytest.raises(StoreUnavailable) as caught:
            store.put("a", [b"1"], exclusive=True)
        return str(caught.value)

    assert children.child(put) == (
        f"The artifact store 'local' cannot use {store.path}/a: it has neither hard links nor "
        "renames that replace nothing.\n"
        "Use another stack, or a LocalArtifactStore(path=…) that you may write to."
    )


def test_a_link_whose_answer_was_lost_is_no_taken_key(store: LocalArtifactStore) -> None:
    """Over a network the question may come twice, and the second answer is that it exists."""
    store.put("a", [b"1"])
    os.link(f"{store.path}/a", f"{store.path}/b")

    assert store._linked(f"{store.path}/a", f"{store.path}/b") is True


@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o007, 0o660, 0o770)]
)
def test_modes_are_those_of_the_umask(
    store: LocalArtifactStore, umask: int, file: int, folder: int
) -> None:
    def put() -> None:
        for key in ("a/b", "a/c"):
            store.put(key, [b"1"], exclusive=True)

    children.child(put, umask=umask)

    assert {item.stat().st_mode & 0o777 for item in Path(store.path, "a").iterdir()} == {file}
    assert Path(store.path, "a").stat().st_mode & 0o777 == folder


def test_a_killed_writer_leaves_whole_objects_only(store: LocalArtifactStore) -> None:
    def write() -> None:
        for number in count():
            data = os.urandom(8) * random.randrange(1, 40_000)
            store.put(f"objects/{of_buffers([data])}", [data, b""], exclusive=True)
            store.put("replaced", [b"%d " % number * 5000])
            store.publish([f"first/{os.getpid()}-{number}", f"last/{os.getpid()}-{number}"], b"1")

    kills = 0
    while kills < 120 or len(keys(store, "objects/")) < 50:  # some die before they write
        writer = children.forked(write)
        time.sleep(random.uniform(0.001, 0.012))
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        kills += 1
        assert kills < 5_000, "the children were killed before they wrote"

    objects = keys(store, "objects/")
    assert all(of_buffers([store.get(key)]) == key.removeprefix("objects/") for key in objects)
    assert len(set(bytes(store.get("replaced")).split())) == 1
    assert len(bytes(store.get("replaced")).split()) == 5000
    last = {entry.name for entry in store.keys("last/")}
    assert last <= {entry.name for entry in store.keys("first/")}


def test_a_store_may_lie_behind_a_link_and_a_strange_name(tmp_path: Path) -> None:
    (tmp_path / "a b\n‘ünïcode’ $HOME").mkdir()
    (tmp_path / "link").symlink_to("a b\n‘ünïcode’ $HOME")
    store = LocalArtifactStore(path=f"{tmp_path}/link/it's/", durability="power")
    store.put("a/b", [b"1"], exclusive=True)

    assert keys(store, "a/") == ["a/b"]
    assert (tmp_path / "a b\n‘ünïcode’ $HOME" / "it's" / "a" / "b").read_bytes() == b"1"


def test_a_folder_of_the_store_may_be_a_link(store: LocalArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    Path(store.path).mkdir()
    Path(store.path, "objects").symlink_to(tmp_path / "elsewhere")
    store.put("objects/a", [b"1"])

    assert keys(store) == ["objects/"]


def test_what_others_keep_there_is_no_key(store: LocalArtifactStore) -> None:
    store.put("runs/a", [b"1"])
    for name in (".DS_Store", "runs/.nfs0001", "naïve", "runs/x y", os.fsdecode(b"runs/\xff")):
        Path(store.path, name).touch()

    assert keys(store) == ["runs/"]
    assert keys(store, "runs/") == ["runs/a"]


def test_a_temporary_file_is_no_key(store: LocalArtifactStore) -> None:
    Path(store.path, "tmp").mkdir(parents=True)

    assert list(store.keys()) == []


def test_a_store_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = LocalArtifactStore(path=f"{tmp_path}/file")
    with pytest.raises(StoreUnavailable, match=r"cannot use .*/file: Not a directory"):
        store.put("a", [b"1"])
    with pytest.raises(NoSuchKey):
        store.get("a")


def synced(monkeypatch: pytest.MonkeyPatch, store: LocalArtifactStore) -> list[str]:
    """What reaches the disk at once, in order."""
    found: list[str] = []
    fsync = os.fsync

    def noting(fd: int) -> None:
        found.append(os.path.relpath(os.readlink(f"/proc/self/fd/{fd}"), store.path))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", noting)
    return found


def test_power_makes_files_and_all_their_folders_last(
    store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = synced(monkeypatch, store)
    replace(store, durability="power").put("a/b/c", [b"1"])

    assert [re.sub("tmp/.*", "tmp/…", name) for name in found] == ["tmp/…", "a/b", "a", "."]


def test_process_waits_for_no_disk(
    store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = synced(monkeypatch, store)
    store.put("a/b/c", [b"1"])

    assert found == []


@pytest.mark.parametrize("path", ["", " ", "s3://bucket/prefix"])
def test_what_is_no_folder_is_refused(path: str) -> None:
    with pytest.raises(BadConfiguration, match="which is not a folder"):
        LocalArtifactStore(path=path)
