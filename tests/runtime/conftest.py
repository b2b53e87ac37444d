"""A project on disk whose files run in processes of their own, and a stack in a folder."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import LocalArtifactStore, LocalOrchestrator, Stack

sys.path.append(str(Path(__file__).parent))  # in pytest's import mode a test sees no sibling
import engines
from away import module
from production import Err, Prod, hurry

Python = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def python(tmp_path: Path) -> Python:
    """Runs Python in the test's folder; the first word may be `-c` or the name of a file."""

    def run(
        *words: str, check: bool = True, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def stack(tmp_path: Path) -> Callable[..., Stack]:
    """Makes a local stack; all made by one test have one store."""

    def made(**options: Any) -> Stack:
        return Stack(
            "here",
            orchestrator=LocalOrchestrator(**options),
            artifact_store=LocalArtifactStore(path=str(tmp_path / "store")),
        )

    return made


@pytest.fixture
def prod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prod]:
    monkeypatch.setenv("FOLDER", str(tmp_path))
    hurry(monkeypatch.setattr)
    made = Prod(tmp_path, module(monkeypatch, tmp_path, engines.PROJECT))
    (tmp_path / "project.py").write_text(engines.PROJECT)
    engines.register(tmp_path)
    yield made
    made.end()


@pytest.fixture
def err(capsys: pytest.CaptureFixture[str]) -> Err:
    """What was printed on stderr since the last time."""
    return lambda: capsys.readouterr().err
