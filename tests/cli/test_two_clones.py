"""Two clones of a project: what one has chosen is nothing that git or the other one sees."""

import subprocess
import sys
from pathlib import Path

import pytest

FILE = """\
active: dev
stacks:
  dev: {orchestrator: default, artifact_store: default}
  prod: {orchestrator: default, artifact_store: default}
"""


def said(*words: str, at: Path) -> str:
    done = subprocess.run(
        words,
        cwd=at,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout


def penstock(*words: str, at: Path) -> str:
    return said(sys.executable, "-m", "penstock", *words, at=at)


def status(clone: Path) -> str:
    return said("git", "status", "--porcelain", "--untracked-files=all", at=clone)


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Of a project whose file is committed."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "penstock.yaml").write_text(FILE)
    said("git", "init", "--quiet", at=origin)
    said("git", "add", ".", at=origin)
    who = ["-c", "user.name=someone", "-c", "user.email=someone@example.com"]
    said("git", *who, "commit", "--quiet", "-m", "Stacks", at=origin)
    for name in ("one", "other"):
        said("git", "clone", "--quiet", str(origin), name, at=tmp_path)
    return tmp_path / "one", tmp_path / "other"


def test_a_stack_that_is_set_in_one_clone_is_set_in_no_other(clones: tuple[Path, Path]) -> None:
    one, other = clones
    penstock("stack", "set", "prod", at=one)
    assert penstock("stack", "get", at=one) == "prod (penstock stack set, in .penstock/active)\n"
    assert penstock("stack", "get", at=other) == "dev (penstock.yaml:1)\n"
    assert (status(one), status(other)) == ("", "")
    assert not (other / ".penstock").exists()


def test_what_git_sees_of_a_registration_is_the_file_alone(clones: tuple[Path, Path]) -> None:
    one, other = clones
    words = ["-o", "default", "-a", "default", "--set"]
    penstock("stack", "register", "mine", *words, at=one)
    assert (status(one), status(other)) == (" M penstock.yaml\n", "")
    assert "mine" not in penstock("stack", "list", at=other)


def test_the_teams_default_reaches_the_other_clone_with_git(clones: tuple[Path, Path]) -> None:
    one, other = clones
    penstock("stack", "set", "prod", "--project", at=one)
    diff = said("git", "diff", "--unified=0", at=one)
    assert [line for line in diff.splitlines() if line[0] in "+-" and line[1] not in "+-"] == [
        "-active: dev", "+active: prod",
    ]  # fmt: skip
    (one / "changes").write_text(diff)
    said("git", "apply", "--unidiff-zero", str(one / "changes"), at=other)
    assert penstock("stack", "get", at=other) == "prod (penstock.yaml:1)\n"
