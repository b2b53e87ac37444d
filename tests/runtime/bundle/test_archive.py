"""The archive: bytes that say only what the files say, and reach no other folder."""

import io
import os
import tarfile
import zlib
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import CorruptArtifact
from penstock.runtime.bundle import archive
from penstock.runtime.bundle.archive import Member

part = st.text(
    st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=120
).filter(lambda text: text not in (".", ".."))
odd = st.binary(min_size=1, max_size=20).map(
    lambda data: data.replace(b"/", b"_").replace(b"\0", b"_").decode("utf-8", "surrogateescape")
)
name = st.lists(part | odd, min_size=1, max_size=4).map("/".join).filter(archive.is_inside)
files = st.dictionaries(name, st.tuples(st.binary(max_size=2000), st.booleans()), max_size=8)


@given(files)
def test_an_archive_gives_back_what_went_in(files: dict[str, tuple[bytes, bool]]) -> None:
    members = [Member(name, data, executable) for name, (data, executable) in files.items()]
    assert sorted(archive.read(archive.written(members))) == sorted(members)


@given(files, st.randoms())
def test_the_order_of_the_members_does_not_matter(
    files: dict[str, tuple[bytes, bool]], order: Random
) -> None:
    members = [Member(name, *rest) for name, rest in files.items()]
    mixed = order.sample(members, len(members))
    assert archive.written(mixed) == archive.written(members)


def test_it_is_a_tar_that_any_tool_reads() -> None:
    data = archive.written([Member("a/b c.py", b"1\n"), Member("l", link="a/b c.py")])
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        found = {item.name: (item.mtime, item.uid, item.uname, oct(item.mode)) for item in tar}
    assert found == {"a/b c.py": (0, 0, "", "0o644"), "l": (0, 0, "", "0o777")}


def test_modes_and_links_are_there_again(tmp_path: Path) -> None:
    members = [
        Member("bin/run", b"#!/bin/sh\n", executable=True),
        Member("bin/data", b"1"),
        Member("lib/run", link="../bin/run"),
        Member("here", link="bin"),
    ]
    before = os.umask(0o077)
    try:
        archive.unpacked(archive.read(archive.written(members)), tmp_path / "out")
    finally:
        os.umask(before)
    assert (tmp_path / "out/lib/run").read_bytes() == b"#!/bin/sh\n"
    assert os.access(tmp_path / "out/bin/run", os.X_OK)
    assert (tmp_path / "out/bin/data").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out/here/data").read_bytes() == b"1"


def test_names_that_are_no_text_are_there_again(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n.py")
    archive.unpacked(archive.read(archive.written([Member(name, b"1")])), tmp_path)
    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9\n.py"]


def _tar(*items: tuple[str, bytes, str]) -> bytes:
    """An archive that nobody of ours has written: name, type, link."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.GNU_FORMAT) as tar:
        for name, kind, link in items:
            head = tarfile.TarInfo(name)
            head.type, head.linkname, head.size = kind, link, 3 * (kind == tarfile.REGTYPE)
            tar.addfile(head, io.BytesIO(b"bad") if head.size else None)
    return file.getvalue()


EVIL = {
    "absolute": [("/etc/evil", tarfile.REGTYPE, "")],
    "above": [("../evil", tarfile.REGTYPE, "")],
    "above, further in": [("a/../../evil", tarfile.REGTYPE, "")],
    "a link to an absolute path": [("a", tarfile.SYMTYPE, "/etc/passwd")],
    "a link to above": [("a/b", tarfile.SYMTYPE, "../../evil")],
    "a link by way of a link": [
        ("d/up", tarfile.SYMTYPE, ".."),
        ("d/e/out", tarfile.SYMTYPE, "../up/../.."),
    ],
    "a file below a link": [("a", tarfile.SYMTYPE, "."), ("a/b", tarfile.REGTYPE, "")],
    "a hard link": [("a", tarfile.LNKTYPE, "/etc/passwd")],
    "a device": [("a", tarfile.CHRTYPE, "")],
    "a pipe": [("a", tarfile.FIFOTYPE, "")],
    "a file and a folder": [("a", tarfile.REGTYPE, ""), ("a/b", tarfile.REGTYPE, "")],
    "no name": [("./", tarfile.REGTYPE, "")],
}


@pytest.mark.parametrize("items", EVIL.values(), ids=EVIL)
def test_what_would_reach_out_of_the_folder_is_refused(
    items: list[tuple[str, bytes, str]], tmp_path: Path
) -> None:
    inner = tmp_path / "in"
    with pytest.raises(CorruptArtifact):
        archive.unpacked(archive.read(_tar(*items)), inner)
    assert {path.name for path in tmp_path.iterdir()} <= {"in"}


@pytest.mark.parametrize("data", [b"", b"no archive", zlib.compress(b"x" * 600, wbits=31)])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptArtifact):
        list(archive.read(data))


def test_a_part_of_an_archive_is_refused() -> None:
    data = archive.written([Member("a", bytes(range(256)) * 40)])
    for length in range(0, len(data) - 1, 7):
        with pytest.raises(CorruptArtifact):
            list(archive.read(data[:length]))
