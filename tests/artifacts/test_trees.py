"""Files and folders in a real store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock import LocalArtifactStore
from penstock.artifacts.values import Code, Trust, Values
from penstock.errors import CorruptArtifact

MIB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    return LocalArtifactStore(path=str(tmp_path / "store"))


@pytest.fixture
def values(store: LocalArtifactStore) -> Values:
    return Values(store, lambda names: Code())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "place"
    made.mkdir()
    return made


def objects(store: LocalArtifactStore) -> set[str]:
    return {item.key for above in store.keys("objects/") for item in store.keys(above.key)}


def given(values: Values, path: Path, place: Path) -> Path:
    """What a step gets whose input is this path."""
    artifact = values.save(path, Path, "The folder")
    place.mkdir()
    found = values.load(artifact, Path, "The folder", lambda: place, Trust(True))
    assert isinstance(found, Path)
    return found


def test_a_folder_with_one_changed_file_of_1000_adds_that_file_and_a_list(
    values: Values, store: LocalArtifactStore, folder: Path
) -> None:
    for number in range(1000):
        (folder / str(number)).write_text(f"file {number}")
    values.save(folder, Path, "The folder")
    before = objects(store)

    (folder / "500").write_text("changed")
    artifact = values.save(folder, Path, "The folder")

    assert len(before) == 1001
    assert len(objects(store) - before) == 2
    assert artifact.data is None  # so one of the two is the list of files


def written_to(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"changed")


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


CHANGES: list[Callable[[Path], Any]] = [
    written_to,
    longer,
    lambda path: os.truncate(path, 3),
    lambda path: path.chmod(0o777),
    lambda path: os.utime(path, (0, 0)),
    lambda path: path.unlink(),
]


@pytest.mark.parametrize("size", [100, 3 * MIB])
@pytest.mark.parametrize("change", CHANGES)
def test_what_a_step_does_with_its_files_harms_nobody(
    values: Values, folder: Path, tmp_path: Path, size: int, change: Callable[[Path], Any]
) -> None:
    content = os.urandom(size)
    (folder / "model.bin").write_bytes(content)

    change(given(values, folder, tmp_path / "one") / "model.bin")

    assert (folder / "model.bin").read_bytes() == content
    assert (given(values, folder, tmp_path / "two") / "model.bin").read_bytes() == content


@pytest.mark.parametrize("size", [100, 3 * MIB])
def test_what_becomes_of_a_stored_file_does_not_reach_the_store(
    values: Values, folder: Path, place: Path, size: int
) -> None:
    content = os.urandom(size)
    (folder / "model.bin").write_bytes(content)
    artifact = values.save(folder, Path, "The folder")

    written_to(folder / "model.bin")

    found = values.load(artifact, Path, "The folder", lambda: place, Trust(True))
    assert (found / "model.bin").read_bytes() == content


def test_a_large_file_that_was_damaged_in_the_store_is_not_given_to_anybody(
    values: Values, store: LocalArtifactStore, folder: Path, place: Path
) -> None:
    path = folder / "model.bin"
    path.write_bytes(os.urandom(3 * MIB))
    artifact = values.save(path, Path, "The model")
    (stored,) = objects(store)
    written_to(Path(store.path, stored))

    with pytest.raises(CorruptArtifact, match="The model"):
        values.load(artifact, Path, "The model", lambda: place, Trust(True))


PROGRAM = """
import resource, sys
from pathlib import Path
from penstock import LocalArtifactStore
from penstock.artifacts.values import Code, Trust, Values

values = Values(LocalArtifactStore(path=sys.argv[2]), lambda names: Code())
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[4]), int(sys.argv[4])))
artifact = values.save(Path(sys.argv[1]), Path, "The file")
found = values.load(artifact, Path, "The file", lambda: Path(sys.argv[3]), Trust(True))
print(found.stat().st_size)
"""


def test_a_large_file_needs_no_memory_of_its_size(folder: Path, tmp_path: Path) -> None:
    size = 300 * MIB
    (folder / "zeros").touch()
    os.truncate(folder / "zeros", size)
    (tmp_path / "out").mkdir()
    arguments = [folder / "zeros", tmp_path / "store", tmp_path / "out", str(size // 2)]

    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (run.stdout.strip(), run.stderr) == (str(size), "")
