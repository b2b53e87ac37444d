"""`penstock completion`: TAB, in real shells."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

YAML = """\
artifact_stores: {beside: {flavor: local, path: ../x}}
stacks: {staging: {orchestrator: default, artifact_store: beside}}
"""
ASKS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SHELLS = [shell for shell in ASKS if shutil.which(shell)]
"""Those of this machine: bash at least."""

Words = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def stacks(project: Path) -> None:
    (project / "penstock.yaml").write_text(YAML)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With a `penstock` that a shell finds."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "penstock"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m penstock "$@"\n')
    command.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "% "}


@pytest.fixture
def words(project: Path, penstock: Any, monkeypatch: pytest.MonkeyPatch) -> Words:
    """What is offered for the last of these words, as the shell's script would ask for it."""

    def offered(*typed: str, shell: str = "bash") -> list[str]:
        at = typed[-1] if shell == "fish" else str(len(typed))
        monkeypatch.setenv("COMP_WORDS", " ".join(("penstock", *typed)))
        monkeypatch.setenv("COMP_CWORD", at)
        monkeypatch.setenv("_PENSTOCK_COMPLETE", f"{shell}_complete")
        said = penstock()
        assert (said.code, said.err) == (0, "")
        lines = said.out.splitlines()
        if shell == "zsh":  # three lines for each: what it is, the word, what that is about
            return lines[1::3]
        return [line.partition(",")[2].partition("\t")[0] for line in lines if line]

    return offered


@pytest.mark.parametrize("shell", ASKS)
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (["sta"], ["stack"]),
        (["artifact-"], ["artifact-store"]),
        (["stack", "se"], ["set"]),
        (["stack", "set", "st"], ["staging"]),
        (["artifact-store", "describe", ""], ["default", "beside"]),
        (["artifact-store", "flavor", "describe", "lo"], ["local"]),
        (["stack", "set", "--pro"], ["--project"]),
        (["stack", "register", "x", "--artifact-store", "b"], ["beside"]),
        (["artifact-store", "register", "x", "--flavor", "local", "--dur"], ["--durability"]),
        (["artifact-store", "register", "x", "--dur"], []),
        (["artifact-store", "update", "beside", "--dur"], ["--durability"]),
        (["artifact-store", "update", "--us"], ["--user"]),
        (["completion", "z"], ["zsh"]),
        (["run", "list", "--stack", "st"], ["staging"]),
        (["stack", "set", "nope"], []),
        (["nope", "nope", "sta"], ["stack"]),
    ],
)
def test_what_fits_is_offered(
    shell: str, typed: list[str], wanted: list[str], words: Words
) -> None:
    assert words(*typed, shell=shell) == wanted


def test_bash_completes_what_stands_behind_the_sign(words: Words) -> None:
    assert words("stack", "register", "x", "--artifact-store", "=", "b") == ["beside"]
    assert words("stack", "register", "x", "--artifact-store", "=") == ["default", "beside"]
    more = words("stack", "register", "x", "--orchestrator", "=", "default", "--artifact-st")
    assert more == ["--artifact-store"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete_the_whole_word(shell: str, words: Words) -> None:
    found = words("stack", "register", "x", "--artifact-store=b", shell=shell)
    assert found == ["--artifact-store=beside"]


def test_with_a_broken_file_commands_are_still_offered(words: Words, project: Path) -> None:
    (project / "penstock.yaml").write_text("stacks: [")
    assert words("stack", "set", "") == []
    assert words("stack", "de") == ["delete", "describe"]


def test_a_warning_does_not_end_up_in_the_line_that_is_typed(words: Words, project: Path) -> None:
    (project / "penstock.yaml").write_text(f"{YAML}data_validators: {{a: {{flavor: x}}}}\n")
    assert words("stack", "set", "s") == ["staging"]


def test_a_shell_that_is_none_gets_nothing(penstock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PENSTOCK_COMPLETE", "tcsh_complete")
    said = penstock("stack", "list")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_the_first_word_loads_no_command(environment: dict[str, str]) -> None:
    code = (
        "import sys; from penstock.cli.main import main; main();"
        "print(sorted(name for name in sys.modules if name in sys.argv[1].split()))"
    )
    loaded = "penstock.cli.run penstock.cli.doctor penstock.cli.gc pydantic rich networkx"
    asked = {
        "COMP_WORDS": "penstock ",
        "COMP_CWORD": "1",
        "_PENSTOCK_COMPLETE": "bash_complete",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, loaded],
        env={**environment, **asked}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    *offered, modules = done.stdout.splitlines()
    assert "plain,doctor" in offered
    assert modules == "[]"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("penstock sta\tse\tst\t", r"staging \(penstock stack set, in \.penstock/active\)"),
        ("penstock stack register new -o default --artifact-store=b\t", "stack new: registered"),
    ],
)
def test_a_real_shell_completes_with_tab(
    shell: str, typed: str, said: str, environment: dict[str, str], penstock: Any, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text(penstock("completion", shell).out)
    begin = f"autoload -U compinit; compinit -u; . {script}" if shell == "zsh" else f". {script}"
    program, *options = ASKS[shell]
    child = pexpect.spawn(
        program, options, env=environment, encoding="utf-8", timeout=60, dimensions=(40, 200)
    )
    child.sendline(f"{begin}; echo be''gun")
    child.expect("begun\r?\n")
    child.sendline(typed)
    child.expect(said)
    child.close(force=True)


@pytest.mark.parametrize("shell", ASKS)
def test_the_script_is_also_to_be_had_as_json(shell: str, penstock: Any) -> None:
    script = penstock("completion", shell).out
    assert penstock("completion", shell, "--json").data == {"shell": shell, "script": script}
    assert f"_PENSTOCK_COMPLETE={shell}_complete" in script


def test_another_shell_is_an_error_that_names_those_there_are(penstock: Any) -> None:
    said = penstock("completion", "tcsh")
    assert said.code == 2
    assert "'bash', 'zsh', 'fish'" in said.err
