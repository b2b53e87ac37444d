"""`penstock stack export` and `import`: what is given away, and what is asked before."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from penstock.stack.project import Project
from penstock.stack.registry import Registry

KITCHEN = """\
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from penstock import LocalOrchestrator

Path("imported").touch()

@dataclass(frozen=True, kw_only=True)
class Oven(LocalOrchestrator):
    flavor: ClassVar[str] = "oven"
    host: str
"""

FILE = """\
flavors: {orchestrator: {oven: "shared_kitchen:Oven"}}
orchestrators:
  hot: {flavor: oven, host: "${env:OVEN}"}
artifact_stores:
  bucket: {flavor: local, path: "${file:~/place}/x", signing_key: "${env:TEAM_KEY}"}
  other: {flavor: local}
stacks:
  prod: {orchestrator: hot, artifact_store: bucket, secrets: {DB: "${env:DB_URL}"}}
  plain: {orchestrator: default, artifact_store: other}
"""

ASKED = """\
theirs.yaml asks this machine for:
  ${env:OVEN}  (theirs.yaml:3:29)
  ${file:~/place}  (theirs.yaml:5:33)
  ${env:TEAM_KEY}  (theirs.yaml:5:67)
  ${env:DB_URL}  (theirs.yaml:8:63)
theirs.yaml names classes, whose modules are imported:
  shared_kitchen:Oven  (orchestrator flavor oven)
"""

REFUSED = "Error: Nothing was written. To import theirs.yaml with all that, add --yes.\n"


@pytest.fixture(autouse=True)
def kitchen(project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that has the class. Whoever imports it can be seen."""
    modules = project / "modules"
    modules.mkdir()
    (modules / "shared_kitchen.py").write_text(KITCHEN)
    monkeypatch.syspath_prepend(modules)
    monkeypatch.setenv("PYTHONPATH", str(modules), prepend=os.pathsep)
    yield
    sys.modules.pop("shared_kitchen", None)


@pytest.fixture
def theirs(project: Path) -> Path:
    """What somebody has given to us."""
    file = project / "theirs.yaml"
    file.write_text(FILE)
    return file


@pytest.fixture
def ours(project: Path) -> Path:
    """The same, as our own file."""
    file = project / "penstock.yaml"
    file.write_text(FILE)
    return file


def shell(line: str, project: Path, **more: Any) -> "subprocess.CompletedProcess[str]":
    line = line.replace("penstock", f'"{sys.executable}" -m penstock', 1)
    return subprocess.run(
        ["bash", "-c", line], cwd=project, capture_output=True, text=True, timeout=60, check=False,
        **more,
    )  # fmt: skip


def on_terminal(project: Path, **variables: str) -> "pexpect.spawn[str]":
    """An import in front of somebody."""
    return pexpect.spawn(
        sys.executable, ["-m", "penstock", "stack", "import", "theirs.yaml"], cwd=str(project),
        env={**os.environ, "TERM": "xterm", **variables}, encoding="utf-8",
        dimensions=(50, 40), timeout=60,
    )  # fmt: skip


def ended(child: "pexpect.spawn[str]") -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def stacks(project: Path) -> list[str]:
    return list(Registry(Project(project)).stacks())


def test_a_stack_is_exported_with_its_components_and_flavors(penstock: Any, ours: Path) -> None:
    assert (
        penstock("stack", "export", "prod").out
        == """\
orchestrators:
  hot:
    flavor: oven
    host: "${env:OVEN}"
artifact_stores:
  bucket:
    flavor: local
    path: "${file:~/place}/x"
    signing_key: "${env:TEAM_KEY}"
flavors:
  orchestrator:
    oven: shared_kitchen:Oven
stacks:
  prod:
    orchestrator: hot
    artifact_store: bucket
    secrets:
      DB: "${env:DB_URL}"
"""
    )


def test_what_is_exported_can_be_imported(penstock: Any, ours: Path, project: Path) -> None:
    before = Registry(Project(project))
    prod, parts = before.stacks()["prod"], before.specs("prod")
    said = penstock("stack", "export", "prod", "-o", "prod.yaml")
    assert said.out == "stack prod: exported (prod.yaml)\n"
    ours.write_text("")
    assert penstock("stack", "import", "prod.yaml", "--yes").code == 0
    after = Registry(Project(project))
    assert (after.stacks()["prod"], after.specs("prod")) == (prod, parts)


def test_an_export_is_data_as_well(penstock: Any, ours: Path, project: Path) -> None:
    said = penstock("stack", "export", "plain", "--json").data
    assert (said["stack"], said["file"]) == ("plain", None)
    written = penstock("stack", "export", "plain", "-o", "x.yaml", "--json").data
    assert (written["file"], written["text"]) == ("x.yaml", said["text"])
    assert (project / "x.yaml").read_text() == said["text"]


def test_a_file_that_is_there_is_not_written_over(penstock: Any, ours: Path, project: Path) -> None:
    (project / "x.yaml").write_text("dear\n")
    said = penstock("stack", "export", "plain", "-o", "x.yaml")
    assert (said.code, said.out) == (3, "")
    assert said.err == "Error: x.yaml is there already.\nAdd --force to write over it.\n"
    assert (project / "x.yaml").read_text() == "dear\n"
    assert penstock("stack", "export", "plain", "-o", "x.yaml", "--force").code == 0
    assert "dear" not in (project / "x.yaml").read_text()


def test_a_file_that_cannot_be_written_is_named(penstock: Any, ours: Path) -> None:
    said = penstock("stack", "export", "plain", "-o", "no/x.yaml")
    assert (said.code, said.err) == (
        3, "Error: no/x.yaml cannot be written: No such file or directory.\n",
    )  # fmt: skip


def test_a_secret_that_is_written_out_is_not_given_away(penstock: Any, ours: Path) -> None:
    ours.write_text(FILE.replace("${env:TEAM_KEY}", "s3cret").replace("${env:DB_URL}", "s3cret"))
    said = penstock("stack", "export", "prod")
    assert (said.code, said.out) == (3, "")
    assert "The stack 'prod' has 2 problems:" in said.err
    assert "s3cret" not in said.err


def test_without_a_terminal_nothing_is_taken_for_granted(
    penstock: Any, theirs: Path, project: Path
) -> None:
    said = penstock("stack", "import", "theirs.yaml")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(ASKED + REFUSED)
    assert (project / "penstock.yaml").read_text() == ""
    assert not (project / "imported").exists()


@pytest.mark.parametrize("stdin", ["<&-", "</dev/null", "<<< y"])
def test_an_answer_that_nobody_gives_is_no_answer(stdin: str, theirs: Path, project: Path) -> None:
    said = shell(f"penstock stack import theirs.yaml {stdin}", project)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith(ASKED + REFUSED)
    assert (project / "penstock.yaml").read_text() == ""


def test_who_says_yes_beforehand_is_shown_it_all_the_same(
    penstock: Any, theirs: Path, project: Path
) -> None:
    said = penstock("stack", "import", "theirs.yaml", "--yes")
    assert (said.code, said.err) == (0, ASKED)
    assert [line.partition(" (")[0] for line in said.out.splitlines()] == [
        "orchestrator flavor oven: registered", "orchestrator hot: registered",
        "artifact store bucket: registered", "artifact store other: registered",
        "stack prod: registered", "stack plain: registered",
    ]  # fmt: skip
    assert stacks(project) == ["default", "prod", "plain"]


def test_an_import_is_data_as_well(penstock: Any, theirs: Path) -> None:
    said = penstock("stack", "import", "theirs.yaml", "--yes", "--json").data
    assert said["file"] == "theirs.yaml"
    assert said["references"][0] == {"written_in": "theirs.yaml:3:29", "reference": "${env:OVEN}"}
    assert said["flavors"] == [
        {"category": "orchestrator", "flavor": "oven", "target": "shared_kitchen:Oven"}
    ]
    assert [change["how"] for change in said["changes"]] == ["registered"] * 6


def test_what_asks_for_nothing_is_imported_without_a_question(
    penstock: Any, theirs: Path, project: Path
) -> None:
    theirs.write_text("stacks: {plain: {orchestrator: default, artifact_store: default}}\n")
    said = penstock("stack", "import", "theirs.yaml")
    assert (said.code, said.err, stacks(project)) == (0, "", ["default", "plain"])


def test_stdin_can_be_imported(theirs: Path, project: Path) -> None:
    said = shell("penstock stack import - --yes < theirs.yaml", project)
    assert (said.returncode, stacks(project)) == (0, ["default", "prod", "plain"])
    assert said.stderr == ASKED.replace("theirs.yaml", "stdin")


def test_into_the_users_own_file_if_that_is_asked_for(
    penstock: Any, theirs: Path, project: Path
) -> None:
    assert penstock("stack", "import", "theirs.yaml", "--yes", "--user").code == 0
    assert (project / "penstock.yaml").read_text() == ""
    assert stacks(project) == ["default", "prod", "plain"]


def test_what_is_here_already_is_not_written_again(penstock: Any, theirs: Path, ours: Path) -> None:
    said = penstock("stack", "import", "theirs.yaml", "--yes")
    assert (said.code, said.out) == (0, "All that theirs.yaml has is here already.\n")
    assert ours.read_text() == FILE


def test_what_is_different_here_is_never_replaced(penstock: Any, theirs: Path, ours: Path) -> None:
    theirs.write_text(FILE.replace("${env:OVEN}", "http://x").replace("other: {", "new: {")
                      .replace("artifact_store: other", "artifact_store: new"))  # fmt: skip
    said = penstock("stack", "import", "theirs.yaml", "--yes")
    assert (said.code, said.out) == (3, "")
    assert "Error: theirs.yaml has 2 problems:\n" in said.err
    assert (
        "theirs.yaml:3:3: the orchestrator 'hot' is another one here (penstock.yaml:3:3)"
        in said.err
    )
    assert "the stack 'plain' is another one here (penstock.yaml:9:3)" in said.err
    assert ours.read_text() == FILE


@pytest.mark.parametrize(("text", "code", "told"), [
    ("", 3, "theirs.yaml has no stack.\nType: penstock stack export NAME -o FILE"),
    ("stacks: [", 3, "theirs.yaml:1:"),
    ("stacks: {a: {orchestrater: x}}", 3, "Did you mean 'orchestrator'?"),
    ("stacks: {a: {orchestrator: far, artifact_store: default}}", 3, "theirs.yaml:1:"),
    ("stacks: {'a b': {orchestrator: default, artifact_store: default}}", 3, "theirs.yaml:1:10"),
    ("stacks: !!python/object:os.system {}", 3, "The YAML tag"),
    (None, 4, "theirs.yaml cannot be read: No such file or directory."),
])  # fmt: skip
def test_what_is_no_stack_is_not_imported(
    penstock: Any, project: Path, text: str | None, code: int, told: str
) -> None:
    if text is not None:
        (project / "theirs.yaml").write_text(text)
    said = penstock("stack", "import", "theirs.yaml", "--yes")
    assert (said.code, said.out) == (code, "")
    assert told in said.err
    assert (project / "penstock.yaml").read_text() == ""


@pytest.mark.parametrize(("data", "told"), [
    (b"stacks: {\xe9: 1}", "theirs.yaml:1:10: This file is not UTF-8"),
    (b"#" * (1 << 21), "at most 1 MiB is read"),
])  # fmt: skip
def test_what_is_no_text_is_not_imported(
    penstock: Any, theirs: Path, data: bytes, told: str
) -> None:
    theirs.write_bytes(data)
    said = penstock("stack", "import", "theirs.yaml", "--yes")
    assert (said.code, told in said.err) == (3, True)


def test_a_folder_is_not_imported(penstock: Any, project: Path) -> None:
    (project / "theirs.yaml").mkdir()
    assert penstock("stack", "import", "theirs.yaml").err == (
        "Error: theirs.yaml:1:1: This must be a file, and is a folder.\n"
    )


def test_a_class_that_is_not_there_is_not_imported(penstock: Any, theirs: Path) -> None:
    theirs.write_text(FILE.replace("shared_kitchen:Oven", "nowhere_at_all:Oven"))
    said = penstock("stack", "import", "theirs.yaml", "--yes")
    assert (said.code, said.out) == (3, "")
    assert "there is no module 'nowhere_at_all'" in said.err


def test_on_a_terminal_it_is_asked_once(theirs: Path, project: Path) -> None:
    child = on_terminal(project)
    child.expect_exact("Import that? [y/N]: ")
    assert child.before.replace("\r\n", "\n") == ASKED
    assert not (project / "imported").exists()
    child.sendline("y")
    assert ended(child) == 0
    assert stacks(project) == ["default", "prod", "plain"]


@pytest.mark.parametrize("answer", ["\n", "\x03", "\x04"], ids=ascii)
def test_any_other_answer_is_no(answer: str, theirs: Path, project: Path) -> None:
    child = on_terminal(project)
    child.expect_exact("Import that? [y/N]: ")
    child.send(answer)
    child.expect_exact("Nothing was written.")
    assert ended(child) == 130
    assert (project / "penstock.yaml").read_text() == ""
    assert not (project / "imported").exists()


def test_what_a_file_says_cannot_draw_on_the_terminal(penstock: Any, theirs: Path) -> None:
    theirs.write_text('artifact_stores: {a: {flavor: local, path: "${env:A\\e[2K\\e[1A}"}}\n')
    said = penstock("stack", "import", "theirs.yaml")
    assert "\x1b" not in said.out + said.err


def test_a_terminal_of_another_encoding_shows_it_all_the_same(theirs: Path, project: Path) -> None:
    child = on_terminal(project, LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii", NO_COLOR="1")
    child.expect_exact("Import that? [y/N]: ")
    assert child.before.replace("\r\n", "\n") == ASKED
    child.sendline("n")
    assert ended(child) == 130
