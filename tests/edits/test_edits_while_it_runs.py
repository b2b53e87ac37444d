"""Edits of a project whose process lives: what counts is the code that is loaded, not the file."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import edits_of_classes
import edits_of_data
import edits_of_functions
import edits_of_what_is_looked_up
import pytest
from edit import Change, Outcome, added, replaced
from fresh import Fresh, home

PROJECT = Path(__file__).parent / "project"
PROGRAM = '    """What a program may do before it runs its pipeline."""'

EDITED_AFTER_IMPORT = """\
    import importlib
    import shutil

    sys.dont_write_bytecode = True  # two edits within a second: Python would run its old code
    for name in sys.argv[1:]:
        importlib.import_module(name)
    shutil.copytree("../edited", ".", dirs_exist_ok=True)
"""

PARTS = ("shop.plain", "shop.functions", "shop.classes", "shop.kinds", "shop.containers",
         "shop.tables", "shop.objects", "shop.chain", "wild.loose")  # fmt: skip
TABLES = (edits_of_functions, edits_of_classes, edits_of_data, edits_of_what_is_looked_up)


def changes_of(part: str) -> Sequence[Change]:
    """All changes of the project's files in the tables that leave the program itself alone."""
    edits = [each for table in TABLES for each in table.EDITS.values() if each.part == part]
    return [
        each.changes[0]
        for each in edits
        if len(each.changes) == 1 and not each.before and not each.variables
    ]


def outcome(process: Fresh, folder: Path, *parts: str) -> Outcome:
    said = json.loads(process.run(folder, parts, home(folder)))
    return Outcome(frozenset(said["ran"]), said["got"], said["meant"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project, which has not run yet."""
    return shutil.copytree(
        PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__")
    )


@pytest.mark.parametrize("part", PARTS)
def test_what_a_process_computes_whose_files_were_edited_is_not_taken_for_the_new_code(
    folder: Path, processes: tuple[Fresh, Fresh], part: str
) -> None:
    """It has loaded the old code, and looks at files in which everything is new."""
    edited = shutil.copytree(folder, folder.parent / "edited")
    done = 0
    for change in changes_of(part):
        try:
            change(edited)
        except AssertionError:  # another edit has changed the same text
            continue
        done += 1
    assert done > 1
    replaced("main.py", PROGRAM, EDITED_AFTER_IMPORT)(folder)
    first = outcome(processes[0], folder, part)
    assert first.got == first.meant
    shutil.copy(PROJECT / "main.py", folder)
    second = outcome(processes[1], folder, part)
    assert second.got == second.meant
    assert first.got != second.got


RUNS_AGAIN = """\
    import importlib
    import pathlib

    from shop import features, plain

    run = everything.run(sys.argv[1:])
    print(json.dumps(sorted(each.id for each in run if each.status == "completed")))
    file = pathlib.Path(features.__file__)
    file.write_text(file.read_text().replace("value + 20", "value + 21"))
"""
ONCE_MORE = """\
    run = everything.run(sys.argv[1:])
    assert run.result() == everything.with_options(cache=False).run(sys.argv[1:]).result()
    print(json.dumps(sorted(each.id for each in run if each.status == "completed")))
"""


def test_a_helper_that_is_edited_between_two_runs_of_a_process_changes_nothing(
    folder: Path, processes: tuple[Fresh, Fresh]
) -> None:
    replaced("main.py", PROGRAM, RUNS_AGAIN + ONCE_MORE)(folder)
    said = processes[0].run(folder, ["shop.plain"], home(folder)).splitlines()
    assert len(json.loads(said[0])) > 20
    assert json.loads(said[1]) == []


def test_a_helper_that_is_edited_and_reloaded_runs_its_steps_again(
    folder: Path, processes: tuple[Fresh, Fresh]
) -> None:
    """Who has the function itself keeps the old one, which nobody else can find any more."""
    again = RUNS_AGAIN + "    importlib.reload(features)\n" + ONCE_MORE
    replaced("main.py", PROGRAM, again)(folder)
    said = processes[0].run(folder, ["shop.plain"], home(folder)).splitlines()
    assert {"by_module", "by_relative"} <= {*json.loads(said[1])}
    assert "by_name" not in json.loads(said[1])


def test_a_global_that_changes_between_two_runs_of_a_process_runs_its_steps_again(
    folder: Path, processes: tuple[Fresh, Fresh]
) -> None:
    again = RUNS_AGAIN + "    plain.RATE = 7\n    plain.settings.CHAINED['rate']['low'].append(5)\n"
    replaced("main.py", PROGRAM, again + ONCE_MORE)(folder)
    said = processes[0].run(folder, ["shop.plain"], home(folder)).splitlines()
    assert json.loads(said[1]) == ["by_chain", "by_name", "calls_a_step"]


def test_a_function_that_is_replaced_between_two_runs_of_a_process_runs_its_steps_again(
    folder: Path, processes: tuple[Fresh, Fresh]
) -> None:
    again = RUNS_AGAIN + "    features.lifted = features.unused\n" + ONCE_MORE
    replaced("main.py", PROGRAM, again)(folder)
    said = processes[0].run(folder, ["shop.plain"], home(folder)).splitlines()
    assert json.loads(said[1]) == ["by_module", "by_relative"]


def test_what_python_notes_in_a_class_while_it_runs_changes_nothing(
    folder: Path, processes: tuple[Fresh, Fresh]
) -> None:
    """The names of its slots once an object was pickled; annotations once they were asked for."""
    asked = "    from shop.classes import Priced\n    assert Priced.__annotations__ == {}\n"
    replaced("main.py", PROGRAM, RUNS_AGAIN + asked + ONCE_MORE)(folder)
    said = processes[0].run(folder, ["shop.objects", "shop.classes"], home(folder)).splitlines()
    assert len(json.loads(said[0])) > 20
    assert json.loads(said[1]) == []


def test_a_class_that_is_changed_between_two_runs_of_a_process_runs_its_steps_again(
    folder: Path, processes: tuple[Fresh, Fresh]
) -> None:
    patch = "    from shop.bases import Base\n    Base.tripled = lambda self, value: value\n"
    replaced("main.py", PROGRAM, RUNS_AGAIN + patch + ONCE_MORE)(folder)
    said = processes[0].run(folder, ["shop.plain", "shop.classes"], home(folder)).splitlines()
    assert {"calls_a_bound_method", "inherits"} <= {*json.loads(said[1])}


ODD = """\
from penstock import step


def helper(value=1):
    return value + 1


@step
def asks() -> int:
    return helper()
"""


def test_a_step_that_was_never_run_is_known_by_what_is_loaded(
    folder: Path, processes: tuple[Fresh, Fresh]
) -> None:
    """A default is no code: it can be new in the file while all the code is equal."""
    added("shop/odd.py", ODD)(folder)
    edited = shutil.copytree(folder, folder.parent / "edited")
    replaced("shop/odd.py", "helper(value=1)", "helper(value=2)")(edited)
    replaced("main.py", PROGRAM, EDITED_AFTER_IMPORT)(folder)
    assert outcome(processes[0], folder, "shop.odd").got == {"asks": 2}
    shutil.copy(PROJECT / "main.py", folder)
    assert outcome(processes[1], folder, "shop.odd").got == {"asks": 3}
