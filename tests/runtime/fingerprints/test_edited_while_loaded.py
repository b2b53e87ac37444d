"""Files that were edited after they were loaded: what was loaded runs, and that is what counts."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from penstock.runtime.fingerprints.fingerprints import Fingerprints

IMPORTS = "from penstock import step\n@step\ndef work():\n    import tools\n    return tools\n"
COMPUTES = (
    "import importlib\nfrom penstock import step\n@step\ndef work():\n"
    "    return importlib.import_module('too' + 'ls')\n"
)

KINDS = "class A:\n    x = 1\nclass B:\n    x = 2\n"

EDITS = {
    "a default": ("def f(x=1):\n    return x\n", "x=1", "x=2"),
    "a negative default": ("def f(x=-1):\n    return x\n", "x=-1", "x=-2"),
    "a default for a keyword": ("def f(*, x=1):\n    return x\n", "x=1", "x=2"),
    "an annotation": ("def f(x: int):\n    return x\n", "int", "str"),
    "an annotation of what comes back": ("def f() -> int:\n    return 1\n", "int", "str"),
    "a default of a method": ("class C:\n    def f(self, x=1):\n        return x\n", "=1", "=2"),
    "a default of a special method": (
        "class C:\n    def __call__(self, x=1):\n        return x\n", "=1", "=2"),
    "a base": (f"{KINDS}class C(A):\n    def f(self):\n        return 1\n", "C(A)", "C(B)"),
    "a base of an empty class": (f"{KINDS}class C(A):\n    pass\n", "C(A)", "C(B)"),
    "an attribute of a class": ("class C:\n    x = 1\n", "x = 1", "x = 2"),
    "an attribute with underscores": ("class C:\n    __x__ = 1\n", "= 1", "= 2"),
    "what a class matches": ("class C:\n    __match_args__ = ('a',)\n", "'a'", "'b'"),
    "a class that has no hash": ("class C:\n    __hash__ = None\n", "__hash__", "__hasx__"),
    "an annotation of an attribute": ("class C:\n    x: int = 1\n", "int", "str"),
    "an annotation alone": ("class C:\n    x: int\n", "int", "str"),
    "an annotation of a constant": ("X: int = 1\n", "int", "str"),
    "a constant": ("X = 1\n", "X = 1", "X = 2"),
    "an import of a module": ("import math as m\n", "math", "cmath"),
    "an import of a name": ("from math import floor as f\n", "floor", "ceil"),
}  # fmt: skip

ONLY_IMPORTED = {
    "a keyword of a class": (
        ("class A:\n    def __init_subclass__(cls, k):\n        A.x = k\nclass C(A, k=1):\n"
        "    pass\n"), "k=1", "k=2"),
    "what is set in another module": ("import math\nmath.own = 5\n", "own = 5", "own = 6"),
    "what a decorator is told": (
        "def of(n):\n    return lambda function: function\n@of(1)\ndef f():\n    return 1\n",
        "of(1)", "of(2)"),
    "a decorator of a class": (
        "def of(n):\n    return lambda kind: kind\n@of(1)\nclass C:\n    pass\n", "of(1)", "of(2)"),
}  # fmt: skip


def looked_at(projects: Any, step: str, text: str, old: str, new: str) -> tuple[str, str]:
    """The digest in a process that has loaded the old text, and in one that has the new one."""
    steps = projects.loaded({"steps.py": step, "tools.py": text})
    importlib.import_module("tools")
    Path(steps.__file__).with_name("tools.py").write_text(text.replace(old, new))
    before = Fingerprints().of_step(steps.work).digest
    return before, projects.of({"steps.py": step, "tools.py": text.replace(old, new)}).digest


@pytest.mark.parametrize("name", {**EDITS, **ONLY_IMPORTED})
def test_what_a_step_imports_counts_as_it_was_loaded(projects: Any, name: str) -> None:
    before, after = looked_at(projects, IMPORTS, *{**EDITS, **ONLY_IMPORTED}[name])
    assert before != after


@pytest.mark.parametrize("name", EDITS)
def test_what_a_step_imports_by_a_computed_name_counts_as_it_was_loaded(
    projects: Any, name: str
) -> None:
    before, after = looked_at(projects, COMPUTES, *EDITS[name])
    assert before != after


@pytest.mark.parametrize("step", [IMPORTS, COMPUTES])
@pytest.mark.parametrize("name", EDITS)
def test_what_was_not_edited_counts_as_its_file(projects: Any, step: str, name: str) -> None:
    text, old, _ = EDITS[name]
    before, after = looked_at(projects, step, text, old, old)
    assert before == after


def test_an_annotation_counts_as_it_was_loaded(projects: Any) -> None:
    text = "from penstock import step\ndef told(x: int):\n    return x\n@step\ndef work():\n"
    files = {"steps.py": f"{text}    return told.__annotations__\n"}
    steps = projects.loaded(files)
    edited = files["steps.py"].replace("x: int", "x: str")
    Path(steps.__file__).write_text(edited)
    before = Fingerprints().of_step(steps.work).digest
    assert before != projects.of({"steps.py": edited}).digest
