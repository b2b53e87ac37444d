import os
import sys
from pathlib import Path

import platformdirs
import pytest

from penstock.errors import BadConfiguration, StackError
from penstock.stack.project import Project, user_file


@pytest.mark.parametrize(
    ("files", "start", "root"),
    [
        (["a/penstock.yaml"], "a/b/c", "a"),
        (["penstock.yaml", "a/penstock.yaml"], "a/b", "a"),
        (["penstock.yaml", "a/.penstock/", "a/b/.git"], "a/b", "."),
        ([".penstock/", "a/b/pyproject.toml"], "a/b", "."),
        ([".penstock/", "a/.penstock/"], "a/b", "a"),
        (["pyproject.toml", "a/.git/"], "a/b", "a"),
        (["pyproject.toml", "a/.git"], "a/b", "a"),  # a worktree's .git is a file
        (["pyproject.toml", "a/.penstock"], "a/b", "."),  # a file is no folder
        (["penstock.yaml/"], "a", "."),  # to be complained of, not passed over
    ],
)
def test_the_root_is_the_nearest_of_the_first_kind_that_is_there(
    tmp_path: Path, files: list[str], start: str, root: str
) -> None:
    for file in files:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if file.endswith("/") else path.touch()
    (tmp_path / start).mkdir(parents=True, exist_ok=True)

    assert Project.find(tmp_path / start).root == tmp_path / root


def test_without_any_mark_the_root_is_where_one_is() -> None:
    above = Path.cwd().parent
    if Project.find(above).root != above:
        pytest.skip("the folder of temporary files lies in a project")

    assert Project.find().root == Path.cwd()


def test_a_working_directory_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(StackError, match="working directory does not exist any more"):
        Project.find()
    os.chdir(tmp_path)


def test_looking_at_a_project_writes_nothing(project: Project) -> None:
    assert project.active is None
    assert not project.folder.exists()


def test_the_folder_keeps_itself_out_of_git(project: Project) -> None:
    project.prepared()

    assert (project.folder / ".gitignore").read_text() == "*\n"


def test_a_gitignore_that_is_there_is_left_alone(project: Project) -> None:
    project.prepared()
    (project.folder / ".gitignore").write_text("*\n!keep\n")

    project.prepared()

    assert (project.folder / ".gitignore").read_text() == "*\n!keep\n"


def test_a_file_in_the_way_of_the_folder_is_said(project: Project) -> None:
    project.folder.touch()

    with pytest.raises(StackError, match="is in the way"):
        project.choose("prod")


def test_what_was_chosen_is_active_and_leaves_no_other_file(project: Project) -> None:
    project.choose("prod")
    project.choose("dev")

    assert project.active == "dev"
    assert sorted(os.listdir(project.folder)) == [".gitignore", "active"]


@pytest.mark.parametrize(
    ("data", "active"), [(b"", None), (b" \n", None), (b"\xff", "\ufffd"), (b"a\r\n", "a")]
)
def test_an_odd_choice_is_read_without_an_accident(
    project: Project, data: bytes, active: str | None
) -> None:
    (project.prepared() / "active").write_bytes(data)

    assert project.active == active


def test_a_choice_that_cannot_be_read_is_said(project: Project) -> None:
    (project.prepared() / "active").mkdir()

    with pytest.raises(BadConfiguration, match="cannot be read: Is a directory"):
        _ = project.active


@pytest.mark.parametrize("variable", [None, "", " ", "/elsewhere"])
def test_the_users_file_is_where_platformdirs_would_look(
    monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    if variable is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", variable)

    folder = Path(platformdirs.user_config_dir("penstock", appauthor=False))
    assert user_file() == folder / "penstock.yaml"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere homes are no variable")
def test_a_user_without_a_home_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "~")  # what is left where the user id has no entry

    assert user_file() is None
