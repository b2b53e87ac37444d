"""Bytes from one open file to another, whatever the two places can do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts import transfer

BYTES = bytes(range(256)) * 1024
SHARED_MEMORY = Path("/dev/shm")


@contextmanager
def opened(*files: tuple[Path, int]) -> Iterator[list[int]]:
    with ExitStack() as stack:
        fds = [os.open(path, flags, 0o666) for path, flags in files]
        for fd in fds:
            stack.callback(os.close, fd)
        yield fds


def copied(source: Path, target: Path, flags: int = 0) -> int:
    writing = os.O_WRONLY | os.O_CREAT | flags
    with opened((source, os.O_RDONLY), (target, writing)) as (one, other):
        return transfer.copy(one, other)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(BYTES)
    return path


def test_a_copy_has_all_bytes(source: Path, tmp_path: Path) -> None:
    assert copied(source, tmp_path / "target") == len(BYTES)
    assert (tmp_path / "target").read_bytes() == BYTES


def test_a_copy_is_unharmed_by_what_happens_to_the_source(source: Path, tmp_path: Path) -> None:
    copied(source, tmp_path / "target")
    with source.open("r+b") as file:
        file.write(b"changed")
    assert (tmp_path / "target").read_bytes() == BYTES


def test_an_empty_file_is_copied(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert copied(tmp_path / "empty", tmp_path / "target") == 0
    assert (tmp_path / "target").read_bytes() == b""


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="this system has no second file system")
def test_a_copy_goes_to_another_file_system(source: Path) -> None:
    with TemporaryDirectory(dir=SHARED_MEMORY) as folder:
        copied(source, Path(folder, "target"))
        assert Path(folder, "target").read_bytes() == BYTES


def test_where_the_system_copies_nothing_it_is_read_and_written(
    source: Path, tmp_path: Path
) -> None:
    # Linux refuses both of its ways into a file that is only appended to.
    copied(source, tmp_path / "target", os.O_APPEND)
    assert (tmp_path / "target").read_bytes() == BYTES


def test_a_pipe_gets_a_file(source: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, source.open("rb") as file:
        assert transfer.copy_range(file.fileno(), writing, 256, 4096) == 4096
        os.close(writing)
        assert pipe.read() == BYTES[256 : 256 + 4096]


def test_a_range_that_is_not_there_is_shorter(source: Path, tmp_path: Path) -> None:
    files = (source, os.O_RDONLY), (tmp_path / "target", os.O_WRONLY | os.O_CREAT)
    with opened(*files) as (one, other):
        assert transfer.copy_range(one, other, len(BYTES) - 5, 100) == 5


@given(start=st.integers(0, len(BYTES)), lengths=st.lists(st.integers(0, 70_000), max_size=4))
def test_ranges_are_put_one_behind_the_other(start: int, lengths: list[int]) -> None:
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "target")
        source.write_bytes(BYTES)
        expected = b""
        with opened((source, os.O_RDONLY), (target, os.O_WRONLY | os.O_CREAT)) as (one, other):
            for length in lengths:
                expected += BYTES[start : start + length]
                transfer.copy_range(one, other, start, length)
        assert target.read_bytes() == expected


def test_more_than_one_piece_is_copied(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PIECE", 1000)
    monkeypatch.setattr(transfer, "BUFFER", 100)
    for flags in (0, os.O_APPEND):
        target = tmp_path / f"target-{flags}"
        files = (source, os.O_RDONLY), (target, os.O_WRONLY | os.O_CREAT | flags)
        with opened(*files) as (one, other):
            transfer.copy_range(one, other, 0, len(BYTES))
        assert target.read_bytes() == BYTES


def test_a_full_disk_is_no_reason_to_try_another_way(source: Path) -> None:
    with (
        opened((source, os.O_RDONLY), (Path("/dev/full"), os.O_WRONLY)) as (one, other),
        pytest.raises(OSError, match="No space left") as caught,
    ):
        transfer.copy(one, other)
    assert caught.value.errno == errno.ENOSPC


def test_what_cannot_be_written_to_says_so(source: Path, tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    files = (source, os.O_RDONLY), (tmp_path / "target", os.O_RDONLY)
    with opened(*files) as (one, other), pytest.raises(OSError, match="Bad file") as caught:
        transfer.copy(one, other)
    assert caught.value.errno == errno.EBADF
