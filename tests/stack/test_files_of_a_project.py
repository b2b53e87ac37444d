"""Which files say what there is, and whose word counts."""

from pathlib import Path

from penstock.stack.configuration import Configuration
from penstock.stack.files import files, flavors, paths
from penstock.stack.project import Project


def test_the_projects_file_comes_before_the_users(project: Project, tmp_path: Path) -> None:
    own = tmp_path / "config" / "penstock" / "penstock.yaml"
    assert paths(project) == (project.file, own)
    own.parent.mkdir(parents=True)
    own.write_text("active: default\n")
    assert [each.active for each in files(project)] == [None, "default"]


def test_of_two_flavors_of_one_name_the_first_files_counts() -> None:
    first = Configuration(None, flavors={"orchestrator": {"a": "mine:A"}})
    second = Configuration(None, flavors={"orchestrator": {"a": "my:A", "b": "my:B"}, "x": {}})
    assert flavors([first, second]) == {"orchestrator": {"a": "mine:A", "b": "my:B"}, "x": {}}
    assert first.flavors == {"orchestrator": {"a": "mine:A"}}
