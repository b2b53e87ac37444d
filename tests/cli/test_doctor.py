"""`penstock doctor`: what is right is said, and nothing that is wrong hides anything else."""

import os
import sys
import time
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, LocalArtifactStore, __version__
from penstock.cli.health import installation, machine
from penstock.errors import StoreUnavailable
from penstock.stack import requirements
from penstock.stack.schema import schema_file, schema_line

STACKS = """\
artifact_stores:
  beside: {flavor: local, path: beside}
  bucket:
    flavor: s3
    path: s3://bucket/x
    endpoint_url: http://127.0.0.1:9
    signing_key: ${env:NOBODY_HAS_THIS}
stacks:
  staging: {orchestrator: default, artifact_store: beside}
  prod: {orchestrator: default, artifact_store: bucket}
"""


class Ahead(LocalArtifactStore):
    """A folder on a machine whose clock is an hour ahead."""

    flavor = "ahead"

    def clock(self) -> float:
        return time.time() + 3600


class Silent(LocalArtifactStore):
    """A folder that does not tell the time."""

    flavor = "silent"

    def clock(self) -> float:
        raise StoreUnavailable("The server does not answer.")


@pytest.fixture
def stacks(project: Path) -> Path:
    """A penstock.yaml with two stacks."""
    file = project / "penstock.yaml"
    file.write_text(STACKS)
    return file


def lines(said: Any, what: str) -> list[str]:
    """The lines about something, each with its mark."""
    found = ((line[:5].strip(), line[7:]) for line in said.out.splitlines())
    return [f"{mark} {text}" for mark, text in found if text.startswith(what)]


def test_a_new_project_is_well(penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").unlink()
    said = penstock("doctor")
    assert (said.code, said.err) == (0, "")
    assert {line[:7] for line in said.out.splitlines()} == {"ok     "}
    assert os.listdir(project) == []


def test_versions_are_said(penstock: Any) -> None:
    said = penstock("doctor")
    assert lines(said, "penstock: ")[0].startswith(f"ok penstock: {__version__}, /")
    python = ".".join(map(str, sys.version_info[:3]))
    assert lines(said, "Python: ") == [f"ok Python: {python}, {sys.executable}"]
    assert len(lines(said, "platform: ")) == 1


def test_all_extras_for_users_are_looked_at() -> None:
    file = Path(__file__).parents[2] / "pyproject.toml"
    extras = tomllib.loads(file.read_text())["project"]["optional-dependencies"]
    assert set(extras) - {"all", "testing", "demo", "test", "lint"} == set(installation.EXTRAS)


@pytest.mark.parametrize(
    ("extra", "library"), [("s3", "s3fs"), ("kubeflow", "kfp"), ("zstd", "zstandard")]
)
def test_an_extra_is_there_with_a_version_or_comes_with_the_line_to_type(
    extra: str, library: str, penstock: Any
) -> None:
    (line,) = lines(penstock("doctor"), f"extra {extra}: ")
    try:
        assert f"{library} {version(library)}" in line
    except PackageNotFoundError:
        assert line.startswith(f"ok extra {extra}: not installed ({library}). To install: pip ")


def test_of_a_package_that_is_not_installed_no_extra_is_known() -> None:
    assert requirements.versions("no-such-package", ["s3"]) == {}
    assert requirements.missing("no-such-package", ["s3"]) == ()


def test_packages_that_bring_flavors_are_named(
    penstock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "packages/strange-1.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(
        "[penstock.data_validators]\nstrict = strange:Strict\n"
        "[penstock.orchestrator]\nx = strange:X\n"
    )
    monkeypatch.syspath_prepend(info.parent)
    said = penstock("doctor")
    package, stray = (line for line in lines(said, "package") if "strange" in line)
    assert package.startswith("ok package strange: 1.5, brings data-validator strict")
    assert stray.startswith("note package: strange:X of 'strange' is in the entry point group")


def test_files_are_counted_and_named(penstock: Any, stacks: Path) -> None:
    said = penstock("doctor")
    (found,) = lines(said, "penstock.yaml: ")
    assert found == f"ok penstock.yaml: {stacks}: 2 stacks, 2 components"
    (own,) = lines(said, "your own file: ")
    assert own.startswith("ok your own file: none (/")


def test_a_file_with_the_wrong_ending_is_noted(penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").rename(project / "penstock.yml")
    said = penstock("doctor")
    assert said.code == 0
    assert lines(said, "penstock.yaml: ")[1] == (
        f"note penstock.yaml: {project}/penstock.yml is not read: the file's name is "
        f"penstock.yaml. mv {project}/penstock.yml {project}/penstock.yaml"
    )


def test_every_problem_of_a_file_has_a_line_of_its_own(penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").write_text("stack: {}\nactiv: x\n")
    said = penstock("doctor")
    assert said.code == 3
    found = lines(said, "penstock.yaml: ")
    assert [line[:40] for line in found] == [
        "WRONG penstock.yaml: penstock.yaml:1:1: ",
        "WRONG penstock.yaml: penstock.yaml:2:1: ",
    ]
    assert len(lines(said, "penstock: ")) == len(lines(said, "free space: ")) == 1


def test_a_broken_file_of_the_users_own_is_wrong(penstock: Any, project: Path) -> None:
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "penstock/penstock.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("activ: x\n")
    said = penstock("doctor")
    assert (said.code, lines(said, "your own file: ")[0][:5]) == (3, "WRONG")


def test_a_broken_choice_is_wrong(penstock: Any, project: Path) -> None:
    (project / ".penstock/active").mkdir(parents=True)
    said = penstock("doctor")
    assert (said.code, lines(said, "stack: ")[0][:5]) == (3, "WRONG")


def test_the_active_stack_comes_with_who_chose_it(penstock: Any, stacks: Path) -> None:
    penstock("stack", "set", "staging")
    (found,) = lines(penstock("doctor"), "stack: ")
    assert found == "ok stack: staging (penstock stack set, in .penstock/active)"


def test_whose_choice_does_not_count_is_told(
    penstock: Any, stacks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock("stack", "set", "staging")
    monkeypatch.setenv("PENSTOCK_STACK", "default")
    (found,) = lines(penstock("doctor"), "stack: ")
    assert found == (
        "note stack: default (PENSTOCK_STACK), not staging (penstock stack set, in "
        ".penstock/active)"
    )


def test_a_stack_that_is_not_there_is_wrong(penstock: Any, stacks: Path) -> None:
    said = penstock("doctor", "--stack", "stagin")
    (found,) = lines(said, "stack: ")
    assert said.code == 3
    assert found.startswith("WRONG stack: There is no stack 'stagin'")
    assert "Did you mean 'staging'?" in found
    assert len(lines(said, "free space: ")) == 1


def test_what_a_stack_check_finds_is_found(penstock: Any, stacks: Path) -> None:
    checked = penstock("stack", "check", "prod").out.splitlines()
    said = penstock("doctor", "--stack", "prod")
    assert said.code == 3
    assert "NOBODY_HAS_THIS" in "".join(lines(said, "artifact store bucket"))
    assert [line for line in checked if line not in said.out.splitlines()] == []


def test_a_secret_that_is_written_out_is_noted_and_not_shown(penstock: Any, stacks: Path) -> None:
    stacks.write_text(STACKS.replace("${env:NOBODY_HAS_THIS}", "hunter2-itself"))
    said = penstock("doctor", "--stack", "prod")
    (found,) = lines(said, "artifact store bucket: signing_key")
    assert found.startswith("note ")
    assert "hunter2" not in said.out + said.err


def test_a_store_that_does_not_work_is_exit_code_5_and_not_asked_for_the_time(
    penstock: Any, stacks: Path
) -> None:
    Path("beside").touch()
    said = penstock("doctor", "--stack", "staging")
    assert said.code == 5
    assert lines(said, "clock: ") == []
    assert len(lines(said, "free space: ")) == 1


def test_the_schema_is_brought_up_to_date(penstock: Any, stacks: Path) -> None:
    file = schema_file(stacks)
    assert f"ok schema: {file} was brought up to date" in lines(penstock("doctor"), "schema: ")
    assert f"ok schema: {file} is up to date" in lines(penstock("doctor"), "schema: ")
    file.write_text("{}")
    assert f"ok schema: {file} was brought up to date" in lines(penstock("doctor"), "schema: ")


def test_a_file_that_leads_no_editor_to_the_schema_is_told_the_line(
    penstock: Any, stacks: Path
) -> None:
    line = schema_line(stacks)
    (_, note) = lines(penstock("doctor"), "schema: ")
    assert note.startswith("note schema: ")
    assert note.endswith(line)
    stacks.write_text(f"{line}\n{STACKS}")
    assert len(lines(penstock("doctor"), "schema: ")) == 1


def test_a_folder_that_cannot_be_written_is_only_noted_for_the_schema(
    penstock: Any, stacks: Path
) -> None:
    (stacks.parent / ".penstock").touch()
    (found,) = lines(penstock("doctor", "--stack", "staging"), "schema: ")
    assert found.startswith("note schema: ")


def test_free_space_is_said_once_for_each_disk(tmp_path: Path) -> None:
    later = str(tmp_path / "not/there/yet")
    (found,) = machine.room([str(tmp_path), later])
    assert str(found).startswith("ok     free space: ")
    assert str(found).endswith(f" at {tmp_path}")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no file system of 0 bytes")
def test_a_full_disk_is_noted() -> None:
    (found,) = machine.room(["/proc"])
    assert str(found) == (
        "note   free space: 0 B of 0 B at /proc. To see what nobody needs any more: penstock gc"
    )


@pytest.mark.parametrize(("there", "apart"), [(5, 5), (10, 0), (15, 0), (20, 0), (26, -6)])
def test_an_answer_took_its_time(there: float, apart: float) -> None:
    assert machine.difference(there, before=10, after=20) == apart


def test_a_clock_that_is_an_hour_behind_is_noted(tmp_path: Path) -> None:
    found = machine.clock(Ahead(name="far", path=str(tmp_path)))
    assert str(found) == (
        "note   clock: this machine's is 1 h 00 min behind that of the artifact store far. "
        "To set it: timedatectl set-ntp true"
    )


def test_a_store_that_does_not_tell_the_time_is_noted(tmp_path: Path) -> None:
    found = machine.clock(Silent(name="far", path=str(tmp_path)))
    assert str(found) == (
        "note   clock: the artifact store far cannot be asked: The server does not answer."
    )


def test_the_clock_is_that_of_the_store_once_there_is_one(penstock: Any, stacks: Path) -> None:
    words = ("doctor", "--stack", "staging")
    assert lines(penstock(*words), "clock: ") == []
    penstock("stack", "up", "staging")
    assert lines(penstock(*words), "clock: ") == ["ok clock: as that of the artifact store beside"]


def test_json_says_the_same(penstock: Any, stacks: Path) -> None:
    penstock("doctor")  # from here on the schema is up to date
    shown = penstock("doctor", "--stack", "prod")
    data = penstock("doctor", "--stack", "prod", "--json").data
    assert set(data) == {"ok", "findings"}
    assert not data["ok"]
    found = [(each["mark"], each["what"]) for each in data["findings"]]
    assert len(found) == len(shown.out.splitlines())
    for (mark, what), line in zip(found, shown.out.splitlines(), strict=True):
        assert line.startswith(f"{mark:5}  {what}")


def test_a_stack_of_this_process_is_no_trouble(penstock: Any) -> None:
    client = Client()
    client.register(LocalArtifactStore(name="mine", path="mine"))
    assert penstock("doctor").code == 0
