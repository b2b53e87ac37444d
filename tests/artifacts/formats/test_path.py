import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from there_and_back import Objects, dumped

from penstock.artifacts.formats import registry
from penstock.artifacts.formats.path import PathFormat
from penstock.artifacts.materializer import Composite, NotThisFormat
from penstock.artifacts.store import LARGE
from penstock.errors import (
    CorruptArtifact,
    NoSuchKey,
    PenstockError,
    StoreUnavailable,
    UnsupportedValue,
)  # fmt: skip
from penstock.model.records import Part


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def trip(path: Path, target: Path) -> Path:
    objects = Objects()
    format = next(each for each in registry.candidates(path) if isinstance(each, Composite))
    root = bytearray(b"".join(format.dump(path, objects)))
    assert format.format == "path/1"
    found = registry.for_format("path/1", None).load(root, objects, lambda: target)  # type: ignore[call-arg]
    assert isinstance(found, Path)
    return found


def tree(root: Path) -> dict[str, Any]:
    """Everything below a folder: bytes, links, folders."""
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[name] = (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        else:
            found[name] = None
    return found


@pytest.mark.parametrize("size", [0, 1, LARGE - 1, LARGE, 3 * LARGE + 1])
def test_a_file_comes_back_as_a_copy(source: Path, target: Path, size: int) -> None:
    path = source / "model.bin"
    path.write_bytes(os.urandom(size))

    found = trip(path, target)

    assert found == target / "model.bin"
    assert found.read_bytes() == path.read_bytes()
    assert found.stat().st_nlink == 1
    found.write_bytes(b"changed")
    assert path.stat().st_size == size


def test_a_folder_comes_back_as_a_copy(source: Path, target: Path) -> None:
    root = source / "data"
    (root / "a/b").mkdir(parents=True)
    (root / "empty/inside").mkdir(parents=True)
    (root / "a/b/rows.csv").write_text("1,2")
    (root / "same.csv").write_text("1,2")
    (root / "zero").touch()
    (root / "run.sh").write_text("#!/bin/sh")
    (root / "run.sh").chmod(0o755)
    (root / "12:30 é\n.txt").write_text("odd")
    (root / "up").symlink_to("a/b/rows.csv")
    (root / "a/b/down").symlink_to("../../same.csv")
    (root / "folder").symlink_to("a")
    (root / "through").symlink_to("folder/b")
    (root / "dangling").symlink_to("not/there")

    found = trip(root, target)

    assert found == target / "data"
    assert tree(found) == tree(root)


def test_a_name_that_is_not_utf_8_comes_back(source: Path, target: Path) -> None:
    root = source / "data"
    root.mkdir()
    (root / os.fsdecode(b"caf\xe9")).write_text("x")

    assert tree(trip(root, target)) == tree(root)


def test_equal_folders_have_equal_manifests(source: Path) -> None:
    names = [f"{n * 7919 % 1000:03}" for n in range(50)]
    for name in names:
        (source / name).touch()

    (data,) = PathFormat(None).dump(source, Objects())

    listed = [entry["path"] for entry in json.loads(bytes(data))["files"]]
    assert listed == sorted(names)


def test_the_working_directory_has_a_name(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "x").write_text("x")
    monkeypatch.chdir(source)

    assert tree(trip(Path(), target)) == tree(target / "source")


def test_a_link_to_a_file_is_followed(source: Path, target: Path) -> None:
    (source / "file").write_text("x")
    (source / "link").symlink_to("file")

    found = trip(source / "link", target)

    assert (found.name, found.read_text(), found.is_symlink()) == ("link", "x", False)


def test_modes_follow_the_umask(source: Path, target: Path) -> None:
    path = source / "run.sh"
    path.touch(0o777)
    path.chmod(0o777)
    before = os.umask(0o027)
    try:
        assert trip(path, target).stat().st_mode & 0o777 == 0o750
    finally:
        os.umask(before)


@pytest.mark.parametrize("link", ["/etc/passwd", "..", "../x", "a/../../x", "a/..", "./a", "a\\b"])
def test_a_link_that_could_lead_out_is_an_error(source: Path, link: str) -> None:
    (source / "link").symlink_to(link)

    with pytest.raises(UnsupportedValue, match=r"'link', to .* which leads out of the folder"):
        PathFormat(None).dump(source, Objects())


def test_a_missing_file_is_named(source: Path) -> None:
    path = source / "nothing"

    with pytest.raises(UnsupportedValue) as caught:
        PathFormat(None).dump(path, Objects())

    assert caught.value.message == (
        f"The path {str(path)!r} leads to no file or folder: {str(path)!r} is not there."
    )


def test_what_is_neither_file_nor_folder_is_an_error(source: Path) -> None:
    os.mkfifo(source / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(source / "s"))
        for path in (source, source / "pipe", source / "s"):
            with pytest.raises(UnsupportedValue, match=r"neither a file nor a folder"):
                PathFormat(None).dump(path, Objects())


@pytest.mark.parametrize("name", ["a\\b", "C:x", "x:"])
def test_a_name_that_windows_reads_otherwise_is_an_error(source: Path, name: str) -> None:
    (source / name).touch()

    with pytest.raises(UnsupportedValue, match=r"has a name that not every system can write"):
        PathFormat(None).dump(source, Objects())


def test_errors_of_the_store_stay_what_they_are(source: Path, target: Path) -> None:
    (source / "x").touch()
    objects = Objects()
    root = bytearray(b"".join(PathFormat(None).dump(source, objects)))

    with pytest.raises(StoreUnavailable, match=r"^full$"):
        PathFormat(None).dump(source, Full())
    with pytest.raises(NoSuchKey, match=r"^gone$"):
        PathFormat(None).load(root, Gone(), lambda: target)


class Full(Objects):
    def put(self, data: Any) -> Part:
        raise StoreUnavailable("full")


class Gone(Objects):
    def write(self, part: Part, fd: int) -> None:
        raise NoSuchKey("gone")


class Remote(type(Path())):  # type: ignore[misc] # the class depends on the system
    pass


def test_a_subclass_of_paths_is_left_to_others(source: Path) -> None:
    with pytest.raises(NotThisFormat):
        PathFormat(None).dump(Remote(source), Objects())


FILE = {"path": "x", "digest": "d", "size": 1, "executable": False}


def hostile(**changes: Any) -> dict[str, Any]:
    return {"name": "data", "kind": "tree", "files": [FILE], "folders": [], "links": [], **changes}


BAD_PATHS = [
    "/etc/x", "../x", "a/../../x", "a/../b", "..", ".", "", "a//b", "a/", "./a", "C:\\x", "C:x",
    "C:/x", "a\\..\\..\\x", "\\\\server\\share", "a\0b", None, 3, ["x"],
]  # fmt: skip


@pytest.mark.parametrize(
    "manifest",
    [
        *(hostile(files=[{**FILE, "path": path}]) for path in BAD_PATHS),
        *(hostile(folders=[path]) for path in BAD_PATHS),
        *(hostile(links=[{"path": path, "target": "x"}]) for path in BAD_PATHS),
        *(hostile(name=name) for name in [*BAD_PATHS, "a/b"]),
        *(
            hostile(links=[{"path": "l", "target": target}])
            for target in ["/etc", "..", "../x", "x/../..", "x/..", "", ".", 7, None, "a\0", "C:x"]
        ),
        hostile(links=[{"path": "a/l", "target": "../../x"}]),
        hostile(files=[FILE, FILE]),
        hostile(files=[FILE, {**FILE, "path": "x/y"}]),
        hostile(links=[{"path": "x", "target": "y"}]),
        hostile(links=[{"path": "l", "target": "x"}], files=[{**FILE, "path": "l/y"}]),
        hostile(links=[{"path": "l", "target": "x"}], folders=["l/y"]),
        hostile(folders=["x"]),
        hostile(files=[{**FILE, "size": -1}]),
        hostile(files=[{**FILE, "size": "1"}]),
        hostile(files=[{**FILE, "digest": None}]),
        hostile(files=[{**FILE, "executable": 1}]),
        hostile(files=[{"path": "x"}]),
        hostile(files=None),
        hostile(kind="socket"),
        hostile(kind="file"),
        hostile(kind="file", name="x", links=[{"path": "l", "target": "x"}]),
        [],
        None,
        {},
    ],
    ids=lambda manifest: json.dumps(manifest)[:100],
)
def test_a_hostile_manifest_is_corrupt_and_writes_nothing(target: Path, manifest: Any) -> None:
    data = bytearray(json.dumps(manifest).encode())

    with pytest.raises(CorruptArtifact):
        PathFormat(None).load(data, Objects(), lambda: target)

    assert list(target.iterdir()) == []


NAMES = st.text("ab./\\:", max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.builds(lambda path: {**FILE, "path": path}, NAMES), max_size=3),
    st.lists(NAMES, max_size=2),
    st.lists(st.builds(lambda a, b: {"path": a, "target": b}, NAMES, NAMES), max_size=3),
)
def test_no_manifest_leads_out(
    tmp_path_factory: pytest.TempPathFactory, files: Any, folders: Any, links: Any
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "target").mkdir()
    data = json.dumps(hostile(files=files, folders=folders, links=links)).encode()

    try:
        found = PathFormat(None).load(data, Objects(d=b"x"), lambda: outside / "target")
    except CorruptArtifact:
        assert list((outside / "target").iterdir()) == []
        return

    assert [path.name for path in outside.iterdir()] == ["target"]
    assert [path.name for path in (outside / "target").iterdir()] == ["data"]
    for path in found.rglob("*"):
        try:
            assert path.resolve().is_relative_to(found.resolve())
        except RuntimeError:  # links in a circle lead nowhere
            assert path.is_symlink()


def test_truncated_manifests_are_corrupt(source: Path, target: Path) -> None:
    (source / "x").write_text("x")
    data = b"".join(PathFormat(None).dump(source, Objects()))  # type: ignore[arg-type]

    for length in range(len(data)):
        with pytest.raises(PenstockError):
            PathFormat(None).load(data[:length], Objects(), lambda: target)


@pytest.mark.parametrize("value", [[Path("a")], {"a": (1, Path("a"))}, {Path("a")}])
def test_a_path_in_a_collection_is_refused(value: object) -> None:
    with pytest.raises(UnsupportedValue) as caught:
        dumped(value)
    assert str(caught.value) == (
        "The path 'a' lies in a collection, where only its name would be stored.\n"
        "Return the folder that the files are in, or one output for each path; or write "
        "str(path) where the name is meant."
    )


class Vanishing(Objects):
    """A store so slow that files are deleted meanwhile."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def put(self, data: Any) -> Part:
        self.victim.unlink(missing_ok=True)
        return super().put(data)


def test_a_file_that_vanishes_while_its_folder_is_read_is_named(source: Path) -> None:
    (source / "a").touch()
    (source / "b").touch()

    with pytest.raises(UnsupportedValue, match=r"'.*/b' is not there"):
        PathFormat(None).dump(source, Vanishing(source / "b"))


def test_a_file_that_grows_while_it_is_read_is_stored_as_it_was_read(tmp_path: Path) -> None:
    # What the kernel tells of itself has no size, and content all the same.
    (entry,) = json.loads(b"".join(PathFormat(None).dump(Path("/proc/version"), Objects())))[
        "files"
    ]  # type: ignore[arg-type]

    assert entry["size"] == len(Path("/proc/version").read_bytes())


def test_a_name_too_long_for_this_system_says_so(target: Path) -> None:
    manifest = hostile(files=[{**FILE, "path": "x" * 300}])

    with pytest.raises(StoreUnavailable, match=r"cannot be written: .*too long"):
        PathFormat(None).load(json.dumps(manifest).encode(), Objects(d=b"x"), lambda: target)
