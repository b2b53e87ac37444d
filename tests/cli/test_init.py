"""`penstock init`: a project begins, and nothing that is there is changed."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import Client
from penstock.stack.project import Project
from penstock.stack.schema import schema_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which one types."""
    found = tmp_path / "empty"
    found.mkdir()
    monkeypatch.chdir(found)
    return found


def test_it_makes_a_file_to_commit_and_a_folder_not_to(folder: Path, penstock: Any) -> None:
    said = penstock("init")
    assert (said.code, said.out) == (0, "made penstock.yaml\nmade .penstock\n")
    assert (folder / ".penstock/.gitignore").read_text() == "*\n"


def test_the_first_line_leads_editors_to_the_schema(folder: Path, penstock: Any) -> None:
    penstock("init")
    first, _, rest = (folder / "penstock.yaml").read_text().partition("\n")
    assert first == "# yaml-language-server: $schema=.penstock/schema.json"
    assert all(line.startswith("#") for line in rest.splitlines() if line)
    assert schema_file(folder / "penstock.yaml").exists()


def test_the_project_is_that_folder_and_has_the_default_stack(folder: Path, penstock: Any) -> None:
    penstock("init")
    assert Project.find() == Project(folder)
    assert Client().active_stack.name == "default"


def test_what_the_comments_say_can_be_typed(folder: Path, penstock: Any) -> None:
    penstock("init")
    lines = [
        line.removeprefix("#   penstock ").partition(" #")[0]
        for line in (folder / "penstock.yaml").read_text().splitlines()
        if line.startswith("#   penstock ")
    ]
    assert len(lines) == 4
    assert [penstock(*line.split()).err for line in lines if penstock(*line.split()).code] == []


def test_the_comments_stay_above_what_is_registered(folder: Path, penstock: Any) -> None:
    penstock("init")
    begun = (folder / "penstock.yaml").read_text()
    penstock("artifact-store", "register", "beside", "--flavor=local", "--path=../x")
    text = (folder / "penstock.yaml").read_text()
    assert text.startswith(begun)
    assert "artifact_stores:" in text.removeprefix(begun)


def test_the_example_runs(folder: Path, penstock: Any) -> None:
    assert "made example.py" in penstock("init", "--example").out
    done = subprocess.run(
        [sys.executable, "example.py", "--count", "4"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("completed in")) == (0, 1)


def test_nothing_that_is_there_is_changed(folder: Path, penstock: Any) -> None:
    Path("penstock.yaml").write_text("active: default\n")
    Path("example.py").write_text("mine = True\n")
    said = penstock("init", "--example")
    assert said.code == 0
    assert "left penstock.yaml as it is\nleft example.py as it is\n" in said.out
    assert Path("penstock.yaml").read_text() == "active: default\n"
    assert Path("example.py").read_text() == "mine = True\n"


def test_once_more_it_makes_nothing(folder: Path, penstock: Any) -> None:
    penstock("init")
    said = penstock("init", "--json")
    assert said.data == {
        "folder": str(folder), "made": [], "left": ["penstock.yaml", ".penstock"],
    }  # fmt: skip


def test_a_link_that_leads_nowhere_is_not_followed(folder: Path, penstock: Any) -> None:
    Path("penstock.yaml").symlink_to(folder.parent / "elsewhere.yaml")
    assert "left penstock.yaml as it is" in penstock("init").out
    assert not (folder.parent / "elsewhere.yaml").exists()


def test_a_broken_file_stays_broken(folder: Path, penstock: Any) -> None:
    Path("penstock.yaml").write_text("active: [\n")
    assert penstock("init").code == 0
    assert Path("penstock.yaml").read_text() == "active: [\n"


def test_another_folder_is_made(folder: Path, penstock: Any) -> None:
    said = penstock("init", "a/b")
    assert said.out == "made a/b/penstock.yaml\nmade a/b/.penstock\n"
    assert (folder / "a/b/penstock.yaml").is_file()


def test_a_folder_inside_of_a_project_is_said_to_be_that(folder: Path, penstock: Any) -> None:
    penstock("init")
    said = penstock("init", "part")
    assert said.code == 0
    assert said.err == (
        f"{folder / 'part'} lies in the project {folder}: "
        "what penstock.yaml says there does not hold here any more.\n"
    )


@pytest.mark.parametrize("name", ["file", "file/in"])
def test_a_file_in_the_way_is_one_error(name: str, folder: Path, penstock: Any) -> None:
    Path("file").touch()
    said = penstock("init", name)
    assert (said.code, said.out) == (3, "")
    assert said.err == (
        f"Error: {name} cannot be a project: there is a file in its way.\n"
        "Give another folder: penstock init FOLDER\n"
    )


def test_a_folder_that_cannot_be_prepared_gets_nothing(folder: Path, penstock: Any) -> None:
    Path(".penstock").touch()
    said = penstock("init")
    assert (said.code, said.err.count("is in the way")) == (3, 1)
    assert os.listdir(folder) == [".penstock"]
