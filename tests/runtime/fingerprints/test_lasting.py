"""What is kept of earlier runs of a process counts only while nothing of it has changed."""

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from penstock.artifacts.formats import registry
from penstock.artifacts.materializer import Materializer
from penstock.runtime.fingerprints.fingerprints import Fingerprints

FILES = {
    "steps.py": """
        import math
        import types
        import tools
        from penstock import step
        from tools import Kind, halved, listed

        RATE = 0.5
        OTHER = types.FunctionType(compile("LIST[0]", "", "eval"), {"LIST": [1]})

        def helper(value: int, by: int = 2) -> float:
            return halved(value) * by * RATE + math.floor(RATE) + tools.SIZE + pow(2, 2)

        def kinds() -> type:
            return Kind

        def kept(values=[1]) -> int:
            return values[0]

        def items() -> list:
            return listed()

        @step
        def work() -> float:
            return helper(1) + kinds().x + items()[0] + kept() + tools.WAYS["one"][0] + OTHER()
    """,
    "tools.py": """
        SIZE = 3
        LIST = [1]
        WAYS = {"one": [1]}

        class Kind:
            x = 1

        def halved(value):
            return value / 2

        def listed():
            return LIST
    """,
}


def helper(value: int, by: int = 2) -> float:
    return value - by


def replace_in_tools(steps: Any) -> None:
    steps.tools.halved = helper


CHANGES: dict[str, Callable[[Any], object]] = {
    "a constant": lambda steps: setattr(steps, "RATE", 0.25),
    "a constant of another type": lambda steps: setattr(steps.tools, "SIZE", 3.0),
    "a constant goes": lambda steps: delattr(steps, "RATE"),
    "what is in a list": lambda steps: steps.tools.LIST.append(2),
    "what is in a default": lambda steps: steps.kept.__defaults__[0].append(2),
    "what is in a list in a dict": lambda steps: steps.tools.WAYS["one"].append(2),
    "what is in a list of globals that are nobody's": lambda steps: steps.OTHER.__globals__[
        "LIST"
    ].append(2),
    "a function": lambda steps: setattr(steps, "helper", helper),
    "the name of a function in its module": replace_in_tools,
    "the code of a function": lambda steps: setattr(
        steps.tools.halved, "__code__", (lambda value: value).__code__
    ),
    "a default": lambda steps: setattr(steps.helper, "__defaults__", (3,)),
    "a default for a keyword": lambda steps: setattr(steps.helper, "__kwdefaults__", {"x": 1}),
    "an attribute of a function": lambda steps: setattr(steps.helper, "rate", 1),
    "an annotation": lambda steps: steps.helper.__annotations__.update(value=str),
    "an attribute of a class": lambda steps: setattr(steps.Kind, "x", 2),
    "a class": lambda steps: setattr(steps, "Kind", type("Kind", (), {"x": 1})),
    "a name of Python's own": lambda steps: setattr(steps, "pow", max),
    "a module": lambda steps: setattr(steps, "tools", type(steps.tools)("tools")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_between_two_runs_of_a_process_counts(projects: Any, name: str) -> None:
    steps = projects.loaded(FILES)
    before = Fingerprints().of_step(steps.work)
    assert Fingerprints().of_step(steps.work) is before
    CHANGES[name](steps)
    assert Fingerprints().of_step(steps.work).digest != before.digest


def test_what_is_changed_back_is_as_before(projects: Any) -> None:
    steps = projects.loaded(FILES)
    before = Fingerprints().of_step(steps.work).digest
    steps.RATE, rate = 4, steps.RATE
    changed = Fingerprints().of_step(steps.work).digest
    steps.RATE = rate
    assert Fingerprints().of_step(steps.work).digest == before != changed


@pytest.mark.parametrize("name", ["Kind", "Fraction"])
def test_another_way_to_store_a_class_counts_from_then_on(
    projects: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    library = "from fractions import Fraction\n" + textwrap.dedent(FILES["steps.py"])
    library = library.replace("return Kind", f"return {name}").replace("kinds().x", "kinds()")
    steps = projects.loaded({**FILES, "steps.py": library})
    before = Fingerprints().of_step(steps.work).digest

    class Own(Materializer[Any]):
        format = "own-kind/1"

    Own.__module__ = "steps"
    monkeypatch.setitem(registry._by_type, getattr(steps, name), Own)
    during = Fingerprints().of_step(steps.work).digest
    monkeypatch.undo()
    assert Fingerprints().of_step(steps.work).digest == before != during
