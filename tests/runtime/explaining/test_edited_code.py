"""Edits of a project's files, told by the runs before and after: in processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock import Client
from penstock.runtime.explaining.change import Change

FEATURES = '''\
"""Features."""

RATE = 2


def shift(x):
    return x + 1


def scale(x):
    """Scaled."""
    return shift(x) * RATE


class Model:
    def __init__(self, by):
        self.by = by

    def predict(self, x):
        return x * self.by
'''
STEPS = """\
import features
from features import Model, scale
from penstock import pipeline, step


@step
def load(n: int) -> list[int]:
    return list(range(n))


@step
def train(rows: list[int]) -> Model:
    return Model(sum(map(scale, rows)))


@step
def fixed() -> Model:
    return Model(3)


@step
def evaluate(model: Model) -> int:
    return model.predict(2)


@step
def judge(model) -> int:
    return model.predict(3)


@step
def computed(name: str) -> int:
    return getattr(features, name)(3)


@step
def idle() -> float:
    return scaled(0.5)


def scaled(x):
    return x * 2


@pipeline
def training() -> int:
    computed("shift")
    idle()
    judge(fixed())
    evaluate(fixed())
    return evaluate(train(load(3)))


if __name__ == "__main__":
    training.run()
"""

EDITS = [
    ("RATE = 2\n", "RATE = 3\n\n\n"),
    ("x + 1", "x + 2"),
    ("    return shift", "    # as it was\n    return shift"),
    ("x * self.by", "x * self.by + 1"),
    ("list(range(n))", "[*range(n)]"),
    ("    return x * 2", "    # twice\n    return x * 2"),
]


@dataclass(frozen=True)
class Project:
    """Its files have been edited between two runs."""

    folder: Path
    home: Path
    said: str = ""
    """What the second run has said."""

    def python(self, *words: str) -> "subprocess.CompletedProcess[str]":
        config = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home)}
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder, env=os.environ | config, capture_output=True, text=True, check=True,
        )  # fmt: skip

    def edit(self) -> None:
        for name in ("features.py", "steps.py"):
            file = self.folder / name
            text = file.read_text()
            for old, new in EDITS:
                text = text.replace(old, new)
            file.write_text(text)

    def line(self, step: str) -> str:
        """What the second run has said of a step."""
        return next(line for line in self.said.splitlines() if line.split()[0] == step)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("home"))
    (made.folder / "features.py").write_text(FEATURES)
    (made.folder / "steps.py").write_text(STEPS)
    (made.folder / "penstock.yaml").touch()
    made.python("steps.py")
    made.edit()
    return Project(made.folder, made.home, made.python("steps.py").stderr)


@pytest.fixture
def changes(edited: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Change]]:
    """What is different in a step of the second run, by name."""
    monkeypatch.chdir(edited.folder)

    def of(step: str) -> dict[str, Change]:
        (found,) = Client().runs()[0].why(step)
        return {change.name: change for change in found.changes}

    return of


Changes = Callable[[str], dict[str, Change]]


def test_an_edited_helper_of_a_helper_is_told_on_the_line(edited: Project) -> None:
    assert "helper changed: features.shift (features.py:8)" in edited.line("train")


def test_an_edit_is_a_diff_of_the_function_with_the_numbers_of_each_file(changes: Changes) -> None:
    change = changes("train")["features:shift"]
    assert (change.kind, change.where) == ("function", "features.py:8")
    assert change.diff.splitlines()[2:] == [
        "@@ -6,2 +8,2 @@", " def shift(x):", "-    return x + 1", "+    return x + 2",
    ]  # fmt: skip


def test_a_constant_is_told_from_what_to_what(changes: Changes) -> None:
    assert changes("train")["features.RATE"].words == "features.RATE 2 → 3"


def test_what_was_not_edited_is_not_told(changes: Changes) -> None:
    edits = {"features:shift", "features.RATE", "features:Model"}
    assert changes("train").keys() == edits


def test_the_step_itself_is_told(edited: Project) -> None:
    assert "code changed (steps.py:" in edited.line("load")


@pytest.mark.parametrize("step", ["judge", "evaluate"])
def test_a_method_of_a_value_is_told_where_the_value_is_used(changes: Changes, step: str) -> None:
    (change,) = changes(step).values()
    assert "-        return x * self.by\n+        return x * self.by + 1" in change.diff


def test_what_a_step_reaches_and_its_input_names_is_told_once(
    changes: Changes, edited: Project
) -> None:
    (found,) = Client().runs()[0].why("evaluate")
    names = [change.name for change in found.changes]
    assert "features:Model" in "".join(names)
    assert len(names) == len(set(names))


def test_what_cannot_be_followed_says_that_the_whole_module_counts(changes: Changes) -> None:
    module = changes("computed")["features"]
    assert (module.kind, module.where.partition(":")[0]) == ("module", "features.py")
    assert "getattr(features, …)" in module.words
    assert "-    return x + 1\n+    return x + 2" in module.diff


def test_a_step_that_reaches_no_edit_is_a_hit(edited: Project, changes: Changes) -> None:
    assert "cached" in edited.line("idle")
    assert [change.kind for change in changes("idle").values()] == ["hit"]


def test_two_runs_differ_in_each_edited_thing_once(changes: Changes) -> None:
    new, old = Client().runs()
    names = [change.name for change in old.diff(new).code]
    assert len(set(names)) == len(names)
    assert {"features:shift", "features.RATE", "features", "steps:load"} <= set(names)


def test_the_command_line_shows_the_diffs(edited: Project) -> None:
    said = edited.python("-m", "penstock", "run", "why", "last", "train").stdout
    assert "  helper changed: features.shift (features.py:8)\n" in said
    assert "-    return x + 1\n+    return x + 2\n" in said
    data = json.loads(edited.python("-m", "penstock", "run", "why", "last", "--json").stdout)
    (step,) = [step for step in data["steps"] if step["step"] == "train"]
    assert step["changes"][0]["diff"] in said
