"""Paths in the project count by where in it they lead, and not by where the project lies."""

import os
import shutil
import subprocess
import sys
import textwrap
import timeit
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model import plain
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.fingerprints.given import Given
from penstock.runtime.fingerprints.places import NOWHERE, Places
from penstock.runtime.fingerprints.survey import Survey
from penstock.runtime.fingerprints.values import Walk

HEAD = """
import dataclasses, functools, os
from pathlib import Path, PurePosixPath
from penstock import step
HERE = Path(__file__).parent
"""

FORMS = {
    "the folder": "X = HERE",
    "the folder as text": "X = os.path.dirname(__file__)",
    "the folder as text with a slash": "X = os.path.dirname(__file__) + '/'",
    "a path": "X = HERE / 'data.csv'",
    "a pure path": "X = PurePosixPath(HERE / 'data.csv')",
    "text": "X = str(HERE / 'data.csv')",
    "bytes": "X = os.fsencode(HERE / 'data.csv')",
    "text in a list": "X = [1, str(HERE / 'data.csv'), b'x']",
    "bytes in a tuple": "X = (1, os.fsencode(HERE / 'data.csv'))",
    "text in a set": "X = {'other', str(HERE / 'data.csv')}",
    "text among the keys of a dict": "X = {str(HERE / 'data.csv'): {'a': 1}}",
    "text deep in a dict": "X = {'a': [({'b': str(HERE / 'data.csv')},)]}",
    "much text": "X = [f'{HERE}/{number}.csv' for number in range(1000)]",
    "a path in a list": "X = [HERE / 'data.csv', 1]",
    "a path among keys": "X = {HERE / 'data.csv': 1}",
    "a path of a class of its own":
        "class Own(type(Path())):\n    pass\nX = Own(HERE / 'data.csv')\nhash(X), str(X)",
    "text of a class of its own": "class Own(str):\n    pass\nX = Own(HERE / 'data.csv')",
    "an object": "@dataclasses.dataclass\nclass Own:\n    at: object\nX = Own(HERE / 'data.csv')",
    "what a class has": "class X:\n    at = HERE / 'data.csv'",
    "a default": "def X(at=HERE / 'data.csv', *, to=str(HERE)):\n    return at",
    "a closure": "def made(at):\n    return lambda: at\nX = made(str(HERE / 'data.csv'))",
    "an argument": "def read(at):\n    return at\nX = functools.partial(read, HERE / 'data.csv')",
    "the file itself": "def X():\n    return Path(__file__).parent",
}  # fmt: skip

STEP = "\n@step\ndef work():\n    return X\n"


def _of(projects: Any, text: str, *, root: Path | None = None) -> str:
    """What a step is known by, in a project in a folder of its own."""
    steps = projects.loaded({"steps.py": f"{HEAD}{text}{STEP}"})
    return Fingerprints(root or Path(steps.__file__).parent).of_step(steps.work).digest


@pytest.mark.parametrize("name", FORMS)
def test_a_path_in_the_project_is_the_same_wherever_that_lies(projects: Any, name: str) -> None:
    one, other = (_of(projects, FORMS[name]) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("name", FORMS)
def test_a_path_elsewhere_counts_as_it_is(projects: Any, tmp_path: Path, name: str) -> None:
    one, other = (_of(projects, FORMS[name], root=tmp_path / "elsewhere") for _ in range(2))
    assert one != other


@pytest.mark.parametrize("name", [name for name in FORMS if "data.csv" in FORMS[name]])
def test_another_place_in_the_project_counts(projects: Any, name: str) -> None:
    other = FORMS[name].replace("data.csv", "other.csv")
    assert _of(projects, FORMS[name]) != _of(projects, other)


def test_a_place_is_not_the_text_that_is_left_of_it(projects: Any) -> None:
    texts = ["HERE / 'a.csv'", "str(HERE / 'a.csv')", "os.fsencode(HERE / 'a.csv')", "'a.csv'",
             "'/a.csv'", "'@/a.csv'", "Path('a.csv')", "Path('/a.csv')", "b'/a.csv'", "['/a.csv']",
             "[str(HERE / 'a.csv')]", "HERE", "str(HERE)", "''", "'/'", "str(HERE) + '/'",
             "[str(HERE), '=']", "['@', str(HERE)]"]  # fmt: skip
    assert len({_of(projects, f"X = {text}") for text in texts}) == len(texts)


PLAIN = st.recursive(
    st.one_of(
        st.none(), st.integers(), st.binary(max_size=4), st.text(max_size=4),
        st.sampled_from(["/a/ü", "/a/ü/", "/a/ü/x", "/a/üx", "@", "@/x", "=/a/ü", "/a", ""]),
        st.sampled_from(["/a/ü", "/a/ü/x", "/a/üx", "@/x", "=/a/ü"]).map(os.fsencode),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner), st.dictionaries(st.text(max_size=2), inner)
    ),
    max_leaves=5,
)  # fmt: skip


def _token(value: object, places: Places) -> str:
    return Walk(Survey(places), "steps", places).token(value)


@given(PLAIN, PLAIN)
def test_what_is_not_the_same_never_counts_as_the_same(one: object, other: object) -> None:
    places = Places("/a/ü")
    same = plain.encode(one) == plain.encode(other)
    assert (_token(one, places) == _token(other, places)) == same


@given(PLAIN)
def test_only_paths_in_the_project_count_otherwise(value: object) -> None:
    """And data without one is known by what it always was."""
    there = plain.encode(value)
    leads = any(f'"{item}"' in there for item in _written("/a/ü", "/a/ü/", "/a/ü/x")) or any(
        plain.encode(os.fsencode(item)) in there for item in ("/a/ü", "/a/ü/x")
    )
    assert (_token(value, Places("/a/ü")) != _token(value, NOWHERE)) == leads


def _written(*texts: str) -> list[str]:
    return [plain.encode(text)[1:-1] for text in texts]


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        *[("/a/pro", ""), ("/a/pro/", "/"), ("/a/pro/x", "/x"), (b"/a/pro/x", "/x")],
        *[(Path("/a/pro/x"), "/x"), (PurePosixPath("/a/pro"), "")],
        *[("/a/proj", None), ("/a/proj/x", None), ("/a", None), ("/b/a/pro", None), ("", None)],
        *[(Path("/a/proj/x"), None), (b"/a/proj", None), ("a/pro/x", None), (3, None)],
    ],
)
def test_only_whole_names_of_folders_count(path: object, rest: str | None) -> None:
    assert Places.below(Path("/a/pro")).find(path) == rest


def test_in_the_root_of_the_file_system_nothing_is_a_place() -> None:
    assert Places.below(Path("/")).find("/a") is None


@pytest.mark.parametrize("name", FORMS)
def test_when_the_project_is_another_one_nothing_earlier_is_believed(
    projects: Any, tmp_path: Path, name: str
) -> None:
    steps = projects.loaded({"steps.py": f"{HEAD}{FORMS[name]}{STEP}"})
    root = Path(steps.__file__).parent

    def of(folder: Path) -> str:
        return Fingerprints(folder).of_step(steps.work).digest

    inside, outside = of(root), of(tmp_path / "elsewhere")
    assert inside != outside
    assert [of(root), of(tmp_path), of(root)] == [inside, of(tmp_path), inside]
    assert of(tmp_path) != inside


def test_what_a_step_is_given_counts_as_it_is(tmp_path: Path) -> None:
    values = [tmp_path, str(tmp_path), [tmp_path / "x"], {"at": os.fsencode(tmp_path)}]
    inside, outside = (
        [Given(Survey(places)).token(value) for value in values]
        for places in (Places.below(tmp_path), NOWHERE)
    )
    assert inside == outside


def test_text_without_paths_costs_next_to_nothing_more() -> None:
    value = [f"/srv/data/{number}/file.csv" for number in range(100_000)]
    text = plain.encode(value)
    places = Places("/home/somebody/project")
    assert _seconds(lambda: places.token(value, text)) < _seconds(lambda: plain.encode(value)) / 2


def _seconds(work: Callable[[], object]) -> float:
    """How long it takes when nobody else is in the way."""
    return min(timeit.repeat(work, number=1, repeat=15))


CONFIGURATION = """
artifact_stores:
  shared: {{flavor: local, path: {store}}}
stacks:
  shared: {{orchestrator: default, artifact_store: shared}}
"""

PROGRAM = """
from pathlib import Path
from penstock import pipeline, step
DATA = Path(__file__).parent / "one.csv"
@step
def read() -> str:
    return DATA.read_text()
@pipeline
def reading() -> None:
    read()
"""


def _penstock(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "penstock", *words]
    environment = {**os.environ, "PENSTOCK_STACK": "shared"}
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


def test_two_checkouts_share_results_and_why_names_the_place(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "moved/other"
    one.mkdir()
    (one / "penstock.yaml").write_text(CONFIGURATION.format(store=tmp_path / "store"))
    (one / "train.py").write_text(textwrap.dedent(PROGRAM))
    for name in ("one.csv", "other.csv"):
        (one / name).write_text(name)
    shutil.copytree(one, other)
    assert "cached" not in _penstock(one, "pipeline", "run", "train.py")
    assert "cached" in _penstock(other, "pipeline", "run", "train.py")
    (other / "train.py").write_text(PROGRAM.replace("one.csv", "other.csv"))
    assert "cached" not in _penstock(other, "pipeline", "run", "train.py")
    said = _penstock(other, "run", "why", "last", "read")
    assert 'train.DATA "one.csv" in the project → "other.csv" in the project' in said
