"""A stack with two step operators, from its registration on: each step goes where it is told."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MODULE = """\
import os

from penstock import pipeline, step

@step(step_operator="gpu")
def train() -> str:
    return os.path.basename(os.getcwd())

@step
def evaluate(trained: str) -> str:
    return f"{trained}, then {os.path.basename(os.getcwd())}"

@pipeline
def training() -> str:
    return evaluate(train())
"""


@pytest.fixture
def module(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (project / "operated.py").write_text(MODULE)
    monkeypatch.syspath_prepend(project)
    yield
    sys.modules.pop("operated", None)


@pytest.mark.usefixtures("module")
def test_each_step_runs_by_its_own_operator(penstock: Any, project: Path) -> None:
    for name in ("gpu", "big"):
        (project / name).mkdir()
        words = ["register", name, "--flavor=subprocess", f"--directory={name}"]
        assert penstock("step-operator", *words).code == 0
    assert penstock(
        "stack", "register", "prod", "-o", "default", "-a", "default", "-s", "gpu", "-s", "big",
        "--steps={evaluate: {step_operator: big}}", "--set",
    ).code == 0  # fmt: skip

    assert penstock("pipeline", "run", "operated.py:training").code == 0

    run = penstock("run", "show", "last", "--json").data
    assert (run["stack"], run["status"]) == ("prod", "completed")
    found = [penstock("artifact", "show", f"last/{step}", "--json").data["preview"]
             for step in ("train", "evaluate")]  # fmt: skip
    assert [text.strip("'\"\n") for text in found] == ["gpu", "gpu, then big"]
