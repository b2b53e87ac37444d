"""Random programs, edited at random: what runs is what a model from scratch says, edit for edit."""

import importlib
import itertools
import json
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fresh import Fresh, home
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_programs import FORMS, Helper, Program, Work

from penstock import LocalArtifactStore, LocalOrchestrator, Stack

NAME = "random_program"
FOLDERS = itertools.count()


@st.composite
def programs(draw: st.DrawFn) -> Program:
    helpers = [
        Helper(
            draw(st.sampled_from(sorted(FORMS))),
            draw(st.integers(0, 99)),
            tuple(draw(below(number))) if number else (),
        )
        for number in range(draw(st.integers(2, 7)))
    ]
    steps = [
        Work(draw(st.integers(0, 99)), tuple(draw(below(len(helpers)))), tuple(draw(below(number)))
             if number else ())
        for number in range(draw(st.integers(1, 5)))
    ]  # fmt: skip
    return Program(tuple(helpers), tuple(steps))


def below(limit: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, limit - 1), max_size=2, unique=True)


@st.composite
def edits(draw: st.DrawFn, program: Program) -> Program:
    """The program after an edit, which may be one that changes nothing."""
    helper = draw(st.integers(0, len(program.helpers) - 1))
    step = draw(st.integers(0, len(program.steps) - 1))
    match draw(
        st.sampled_from(["constant", "form", "needs", "remark", "step", "given", "helpers"])
    ):
        case "constant":
            return program.with_helper(helper, constant=draw(st.integers(0, 99)))
        case "form":
            return program.with_helper(helper, form=draw(st.sampled_from(sorted(FORMS))))
        case "needs":
            return program.with_helper(helper, needs=tuple(draw(below(helper))) if helper else ())
        case "remark":
            return program.with_helper(helper, remark=draw(st.sampled_from(["", "a\n# b", "c"])))
        case "step":
            return program.with_step(step, constant=draw(st.integers(0, 99)))
        case "given":
            return program.with_step(step, given=draw(st.integers(0, 2)))
        case _:
            return program.with_step(step, helpers=tuple(draw(below(len(program.helpers)))))


def loaded(program: Program, folder: Path) -> ModuleType:
    """The program as a fresh process would load it."""
    (folder / f"{NAME}.py").write_text(program.text(), "utf-8")
    sys.modules.pop(NAME, None)
    importlib.invalidate_caches()
    linecache.clearcache()
    return importlib.import_module(NAME)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where modules are looked for, and where each example has a folder of its own."""
    found = tmp_path_factory.mktemp("random")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.syspath_prepend(str(found))
        yield found
    sys.modules.pop(NAME, None)


class Model:
    """A cache from scratch: what each step was ever computed from."""

    def __init__(self) -> None:
        self._seen: set[tuple[object, ...]] = set()

    def runs(self, program: Program, results: dict[str, int]) -> set[str]:
        """The steps that are not known yet."""
        keys = {f"s{step}": program.key(step, results) for step in range(len(program.steps))}
        found = {name for name, key in keys.items() if key not in self._seen}
        self._seen |= set(keys.values())
        return found


@given(st.data())
def test_an_edit_of_a_random_program_runs_what_a_model_from_scratch_says(
    folder: Path, data: Any
) -> None:
    program = data.draw(programs())
    place = folder / f"store-{next(FOLDERS)}"
    model = Model()
    for _ in range(data.draw(st.integers(2, 5))):
        module = loaded(program, folder)
        run = module.everything.on(stack_in(place)).run()
        meant = module.everything()
        assert run.result() == meant
        assert {v.id for v in run if v.status == "completed"} == model.runs(program, meant)
        program = data.draw(edits(program))


def stack_in(place: Path) -> Stack:
    return Stack("here", orchestrator=LocalOrchestrator(),
                 artifact_store=LocalArtifactStore(path=str(place)))  # fmt: skip


MAIN = f"""\
import json
import sys

sys.dont_write_bytecode = True  # two edits within a second: Python would run its old code
import {NAME}

run = {NAME}.everything.run()
ran = [view.id for view in run if view.status == "completed"]
print(json.dumps([ran, run.result(), {NAME}.everything()]))
"""


@settings(max_examples=4, phases=[Phase.explicit, Phase.generate])  # a process each is dear
@given(st.data())
def test_so_it_is_in_processes_of_their_own(
    folder: Path, processes: tuple[Fresh, Fresh], data: Any
) -> None:
    place = folder / f"{next(FOLDERS)}" / "project"
    place.mkdir(parents=True)
    (place / "main.py").write_text(MAIN, "utf-8")
    model = Model()
    program = data.draw(programs())
    for process in (*processes, *processes):
        (place / f"{NAME}.py").write_text(program.text(), "utf-8")
        ran, got, meant = json.loads(process.run(place, [], home(place)))
        assert got == meant
        assert set(ran) == model.runs(program, meant)
        program = data.draw(edits(program))


def test_the_model_knows_what_it_has_seen() -> None:
    helper = Helper("lambda", 1, ())
    program = Program((helper, helper), (Work(1, (0,), ()), Work(2, (1,), (0,))))
    model = Model()
    results = {"s0": 5, "s1": 6}
    assert model.runs(program, results) == {"s0", "s1"}
    assert model.runs(program.with_helper(1, remark="new"), results) == set()
    assert model.runs(program.with_helper(1, constant=2), results) == {"s1"}
    assert model.runs(program, {"s0": 7, "s1": 6}) == {"s1"}
