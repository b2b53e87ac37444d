"""Projects that are run in processes of their own, edited, and run again."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE))  # in pytest's import mode a test sees no sibling

from edit import Change, Edit, Outcome, complaints  # noqa: E402
from fresh import Fresh, home, started  # noqa: E402

PROJECT = HERE / "project"

Judge = Callable[[Edit], list[str]]


@pytest.fixture(scope="session")
def processes() -> Iterator[tuple[Fresh, Fresh]]:
    """Two to fork from: what runs before an edit and what runs after it share no order of sets."""
    both = Fresh(1), Fresh(2)
    yield both
    for each in both:
        each.close()


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory, processes: tuple[Fresh, Fresh]) -> Judge:
    """Tells what is wrong after an edit. Projects that begin alike have their first run once."""
    place = tmp_path_factory.mktemp("edits") / "project"
    first, second = processes

    @cache
    def begun(part: str, changes: Sequence[Change]) -> tuple[Path, Outcome]:
        shutil.rmtree(place, ignore_errors=True)  # of a first run that has failed
        shutil.copytree(PROJECT, place, ignore=shutil.ignore_patterns("__pycache__"))
        for change in changes:
            change(place)
        outcome = outcome_of(first.run(place, [part], home(place)))
        assert outcome.got == outcome.meant
        # Two edits within a second that leave a file's size alone: Python would run its old code.
        for folder in [*place.rglob("__pycache__")]:
            shutil.rmtree(folder)
        return place.rename(tmp_path_factory.mktemp("begun") / "project"), outcome

    def judged(edit: Edit) -> list[str]:
        folder, before = begun(edit.part, tuple(edit.before))
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(folder, place)
        try:
            for change in edit.changes:
                change(place)
            variables = {**home(place), **edit.variables}
            if edit.command:
                said = started([*edit.command, "main.py", edit.part], place, variables)
            else:
                said = second.run(place, [edit.part], variables)
        finally:
            shutil.rmtree(place)
        return complaints(edit, before, outcome_of(said))

    return judged


def outcome_of(said: str) -> Outcome:
    found = json.loads(said)
    return Outcome(frozenset(found["ran"]), found["got"], found["meant"])
