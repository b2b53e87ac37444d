"""What changes in one cell, and the steps of other cells that run again for it."""

from collections.abc import Callable

import pytest

Run = Callable[[str], str]

CELLS = """
import functools
from dataclasses import dataclass
from penstock import pipeline, step

RATE = 2
TABLE = {"by": [3]}

def deep(value):
    return value + 1

def helper(value):
    return deep(value) * RATE

class Model:
    weight = 2

    def predict(self, value):
        return deep(value) * self.weight

@dataclass
class Setting:
    by: int = 5

SETTING = Setting()
scaled = functools.partial(pow, 2)

@step
def by_helper() -> int:
    return helper(1)

@step
def by_table() -> int:
    return TABLE["by"][0]

@step
def fit() -> Model:
    return Model()

@step
def evaluate(model) -> int:
    return model.predict(3)

@step
def by_setting() -> int:
    return SETTING.by

@step
def by_partial() -> int:
    return scaled(3)

@pipeline(progress=False)
def asking() -> dict[str, int]:
    return {
        "by_helper": by_helper(), "by_table": by_table(), "evaluate": evaluate(fit()),
        "by_setting": by_setting(), "by_partial": by_partial(),
    }
"""
ASK = """
run = asking.run()
fresh = asking.with_options(cache=False).run()
print(sorted(v.id for v in run if v.status == "completed"), run.result() == fresh.result())
"""

EDITS = {
    "nothing": ("", []),
    "a global": ("RATE = 7", ["by_helper"]),
    "a helper of a helper": (
        "def deep(value):\n    return value + 2", ["by_helper", "evaluate", "fit"],
    ),
    "a list in a table": ('TABLE["by"][0] = 9', ["by_table"]),
    "an attribute of an object": ("SETTING.by = 6", ["by_setting"]),
    "an argument of a partial": ("scaled = functools.partial(pow, 3)", ["by_partial"]),
    "an attribute of a class": ("Model.weight = 5", ["evaluate", "fit"]),
    "a method of a class": ("Model.predict = lambda self, value: -value", ["evaluate", "fit"]),
    "a function of Python's takes another's place": ("pow = lambda *values: 0", []),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_what_another_cell_changes_runs_its_steps_again(cell: Run, edit: str) -> None:
    code, runs = EDITS[edit]
    cell(CELLS)
    cell("asking.run()")
    cell(code)
    assert cell(ASK) == f"{runs} True\n"
