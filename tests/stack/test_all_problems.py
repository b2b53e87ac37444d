"""`stack check`: everything that is wrong is told at once, and nothing that is hides the rest."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, SubprocessStepOperator
from penstock.errors import BadConfiguration, KeyTaken, UnknownStack
from penstock.model.component import Finding, Secret, StackComponent
from penstock.stack.checked import check
from penstock.stack.project import Project
from penstock.stack.registry import Registry

YAML = """\
flavors: {orchestrator: {oven: "kitchen:Oven"}}
orchestrators:
  kf: {flavor: nowhere}
  big: {flavor: oven, degrees: hot, tray: 2, key: "${env:KEY}"}
  fine: {flavor: oven, host: "${env:HOST}"}
  locked: {flavor: oven, host: there, key: ["${env:KEY}", "${file:missing}", s3cret]}
artifact_stores:
  here: {flavor: local, path: store}
step_operators:
  gone: {flavor: subprocess, python: no-such-python, directory: no-such-folder}
stacks:
  unknown: {orchestrator: kf, artifact_store: here}
  wrong: {orchestrator: big, artifact_store: here}
  absent: {orchestrator: fine, artifact_store: here}
  locked: {orchestrator: locked, artifact_store: here}
  steps: {orchestrator: default, artifact_store: here, step_operators: [gone]}
  secret:
    orchestrator: default
    artifact_store: here
    secrets: {DB_URL: "${env:NO_DB}", LOGIN: "${file:login}", PLAIN: s3cret}
"""
STORE = "ok     artifact store here: "
OPEN = "It is written out. ${env:NAME} or ${file:PATH} would keep it out of files and history."


@pytest.fixture
def written(kitchen: ModuleType, registry: Registry) -> Registry:
    registry.project.file.write_text(YAML)
    return registry


def lines(registry: Registry, name: str | Stack) -> list[str]:
    """What is not in order, in a check that goes on to the end."""
    found = check(registry, name, "asked for")
    said = str(found).splitlines()
    assert sum(line.startswith(STORE) for line in said) == 6
    assert found.ok is not any(line.startswith("WRONG") for line in said)
    return [line for line in said if not line.startswith("ok ")]


def test_a_flavor_that_nobody_has_does_not_hide_the_store(written: Registry) -> None:
    (line,) = lines(written, "unknown")
    assert line.startswith(
        "WRONG  orchestrator kf: flavor: penstock.yaml:3:3: No orchestrator flavor named 'nowhere'."
    )


def test_each_option_that_is_wrong_is_a_line_with_its_place(written: Registry) -> None:
    start = "WRONG  orchestrator big: options: penstock.yaml:4"
    assert lines(written, "wrong") == [
        (
            f"{start}:43: orchestrator 'big', option 'tray': there is no such option. Did you mean "
            "'trays'?"
        ),
        f"{start}:3: orchestrator 'big' needs the option 'host'.",
        (
            f"{start}:32: orchestrator 'big', option 'degrees': 'hot' does not fit: a whole number "
            "is needed."
        ),
    ]


def test_a_reference_that_leads_nowhere_is_a_line(written: Registry) -> None:
    (line,) = lines(written, "absent")
    assert line == (
        "WRONG  orchestrator fine: reference: penstock.yaml:5:30: orchestrator 'fine', option "
        "'host': The environment variable 'HOST' is not set (${env:HOST} needs it). export HOST=…"
    )


def test_each_secret_that_leads_nowhere_is_a_line_and_one_that_is_written_out_a_note(
    written: Registry,
) -> None:
    root = written.project.root
    assert lines(written, "locked") == [
        (
            "WRONG  orchestrator locked: key_0: The environment variable 'KEY' is not set "
            "(${env:KEY} needs it). export KEY=…"
        ),
        (
            f"WRONG  orchestrator locked: key_1: The file '{root}/missing' cannot be read: No such "
            f"file or directory (${{file:{root}/missing}} needs it)."
        ),
        f"note   orchestrator locked: key_2: {OPEN}",
    ]


def test_the_secrets_of_a_stack_are_tried_from_its_project(
    written: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (written.project.root / "login").write_text("me")
    monkeypatch.chdir(tmp_path)
    assert "ok     stack secret: secret LOGIN" in str(check(written, "secret"))
    assert lines(written, "secret") == [
        (
            "WRONG  stack secret: secret DB_URL: The environment variable 'NO_DB' is not set "
            "(${env:NO_DB} needs it). export NO_DB=…"
        ),
        f"note   stack secret: secret PLAIN: {OPEN}",
    ]


def test_a_step_operator_that_cannot_start_is_told_with_both_reasons(written: Registry) -> None:
    root = written.project.root
    assert lines(written, "steps") == [
        f"WRONG  step operator gone: python: There is no '{root}/no-such-python'.",
        f"WRONG  step operator gone: directory: There is no '{root}/no-such-folder'.",
    ]


def test_an_unknown_stack_and_a_broken_file_are_errors_of_their_own(written: Registry) -> None:
    with pytest.raises(UnknownStack, match="no stack 'sercet'"):
        check(written, "sercet")
    written.project.file.write_text("stacks: [")
    with pytest.raises(BadConfiguration, match=r"penstock\.yaml:1"):
        check(written)


METADATA = "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\nRequires-Dist: {}; extra == 'fast'\n"
ENTRIES = "[penstock.orchestrators]\nacme = kitchen:Acme [fast]\n"


@pytest.mark.parametrize(("needed", "there"), [("no-such-lib", False), ("pytest", True)])
def test_a_library_that_is_not_installed_is_told_beside_what_else_is_wrong(
    registry: Registry, kitchen: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    needed: str, *, there: bool,
) -> None:  # fmt: skip
    @dataclass(frozen=True, kw_only=True)
    class Acme(LocalOrchestrator):
        flavor: ClassVar[str] = "acme"

    monkeypatch.setattr(kitchen, "Acme", Acme, raising=False)
    (tmp_path / "acme-1.0.dist-info").mkdir()
    (tmp_path / "acme-1.0.dist-info" / "METADATA").write_text(METADATA.format(needed))
    (tmp_path / "acme-1.0.dist-info" / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(tmp_path)
    registry.project.file.write_text(
        "orchestrators: {a: {flavor: acme}, b: {flavor: acme, max_workres: 2}}\n"
        "artifact_stores: {here: {flavor: local, path: store}}\n"
        "stacks: {a: {orchestrator: a, artifact_store: here},\n"
        "         b: {orchestrator: b, artifact_store: here}}\n"
    )
    line = (
        "library: The orchestrator flavor 'acme' of the package 'acme' needs what is not "
        "installed: no-such-lib. pip install 'acme[fast]'"
    )
    wrong = "WRONG  orchestrator b: options: "
    assert lines(registry, "a") == ([] if there else [f"WRONG  orchestrator a: {line}"])
    assert lines(registry, "b")[:-1] == ([] if there else [f"WRONG  orchestrator b: {line}"])
    assert lines(registry, "b")[-1].startswith(wrong)


@dataclass(frozen=True, kw_only=True)
class Tracker(StackComponent):
    """Says of its secret what a check says anyway, and then something else."""

    category: ClassVar[str] = "experiment-tracker"
    flavor: ClassVar[str] = "tracker"

    token: Secret
    host: str = "here"

    def check(self) -> Iterator[Finding]:
        if self.host == "broken":
            raise LookupError("nobody thought of that")
        try:
            self.token.reveal()
        except Exception as error:
            yield Finding("token", False, getattr(error, "message", ""))
        yield Finding("reach", False, "Nobody is there.")
        raise KeyTaken("Somebody else has it.")


def in_code(**options: str) -> Stack:
    return Stack(
        "mine",
        orchestrator=LocalOrchestrator(),
        artifact_store=LocalArtifactStore(name="here", path="store"),
        experiment_trackers=[Tracker(token=Secret("${env:TOKEN}"), **options)],
    )


def test_what_a_component_says_as_well_is_told_once(registry: Registry) -> None:
    who = "WRONG  experiment tracker tracker"
    assert lines(registry, in_code()) == [
        (
            f"{who}: token: The environment variable 'TOKEN' is not set (${{env:TOKEN}} needs it). "
            "export TOKEN=…"
        ),
        f"{who}: reach: Nobody is there.",
        f"{who}: Somebody else has it.",
    ]


def test_what_a_stranger_should_not_raise_is_a_line_with_its_place(registry: Registry) -> None:
    *_, line = lines(registry, in_code(host="broken"))
    assert line.startswith(
        "WRONG  experiment tracker tracker: The experiment tracker 'tracker' (flavor 'tracker') "
        f"failed: LookupError: nobody thought of that ({__file__}:"
    )


def test_a_reference_of_a_stack_in_code_is_a_line_as_well(registry: Registry) -> None:
    (line,) = lines(registry, in_code(host="${env:NOWHERE}"))
    assert line.startswith("WRONG  experiment tracker tracker: reference: The environment variable")


def test_a_stack_in_hand_is_checked_from_the_folder_of_its_project(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.file.write_text("")
    (project.root / "deep").mkdir()
    (project.root / "store").mkdir()
    monkeypatch.chdir(project.root / "deep")
    before = sorted(project.root.rglob("*"))
    found = Stack(
        "mine", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore(path="store")
    ).check()
    assert (found.ok, sorted(project.root.rglob("*"))) == (True, before)


def test_an_interpreter_without_penstock_is_told_with_the_line_that_installs_it(
    project: Project,
) -> None:
    bare = project.root / "python"
    bare.write_text("#!/bin/sh\nprintf '3.12\\n\\n'\n")
    bare.chmod(0o755)
    (finding,) = SubprocessStepOperator(python=str(bare)).check()
    assert (finding.what, finding.message) == ("python", f"{bare} has no penstock.")
    assert finding.hint.startswith(f"Type: {bare} -m pip install ")


def test_the_interpreter_of_this_process_is_in_order(project: Project) -> None:
    found = SubprocessStepOperator(python=sys.executable, directory=str(project.root)).check()
    assert [(each.what, each.mark) for each in found] == [("python", "ok"), ("directory", "ok")]


def test_the_active_stack_is_checked_by_default(written: Registry) -> None:
    assert str(check(written)) == str(Client().check()) == str(Client().active_stack.check())


def test_a_client_of_a_stack_that_cannot_be_made_says_why(written: Registry) -> None:
    assert str(Client("wrong").check()) == str(check(written, "wrong"))
