"""The tests of a project that uses penstock: its steps are functions, and every line is seen."""

import json
from pathlib import Path
from typing import Any

import pytest

STEPS = """
import asyncio
import threading
from penstock import context, pipeline, step

together = threading.Barrier(2, timeout=120)

@step
def load(n: int) -> list[int]:
    print("loading", n)
    return list(range(n))

@step(cache=False)
def meet(n: int) -> int:
    together.wait()
    if n == 1:
        n = 10 * n
    else:
        n = 20 * n
    return n

@step
async def add(values: list[int]) -> int:
    await asyncio.sleep(0)
    context().log_metadata(count=len(values))
    return sum(values)

@pipeline
def training() -> int:
    return add(meet.map([1, 2]))

@pipeline
def loading(n: int) -> list[int]:
    return load(n)

def forgotten() -> int:
    return 1
"""

TESTS = """
import pytest
import steps
from penstock import RunFailed, pipeline, step

def test_a_step_is_a_function():
    assert steps.load(2) == [0, 1]

def test_a_pipeline_is_a_function():
    assert steps.loading(3) == [0, 1, 2]

def test_a_run(capsys):
    run = steps.loading.run(4)
    assert run.result() == [0, 1, 2, 3]
    assert run["load"].logs() == "loading 4\\n"
    out, err = capsys.readouterr()
    assert out == "loading 4\\n"
    assert "completed in" in err

def test_a_run_whose_descriptors_are_captured(capfd):
    steps.loading.run(5)
    assert capfd.readouterr().out == "loading 5\\n"

def test_steps_side_by_side():
    assert steps.training.run().result() == 50

def test_warnings_and_logs(caplog):
    import logging

    @step
    def warns() -> None:
        logging.getLogger("project").warning("careful")

    @pipeline
    def warning() -> None:
        warns()

    warning.run()
    assert "careful" in caplog.text
"""

FAILING = """
import steps
from penstock import pipeline, step

@step
def broken() -> int:
    found = 3
    assert found == 4
    return found

@pipeline
def breaking() -> int:
    return broken()

def test_fails():
    breaking.run()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['.']\n")
    (tmp_path / "steps.py").write_text(STEPS)
    (tmp_path / "test_steps.py").write_text(TESTS)
    return tmp_path


def pytest_in(python: Any, *words: str) -> Any:
    return python("-m", "pytest", "-p", "no:cacheprovider", "-q", *words, check=False)


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_tests_of_a_project_pass(project: Path, python: Any, words: tuple[str, ...]) -> None:
    done = pytest_in(python, *words)
    assert "6 passed" in done.stdout, done.stdout


def test_what_steps_print_is_seen_where_nothing_is_captured(project: Path, python: Any) -> None:
    done = pytest_in(python, "-s", "-k", "test_steps_side_by_side or test_a_run_whose")
    assert "2 passed" in done.stdout, done.stdout
    done = pytest_in(python, "-s", "-k", "test_a_pipeline_is_a_function")
    assert "loading 3\n" in done.stdout


def test_a_failing_step_is_shown_with_its_values(project: Path, python: Any) -> None:
    (project / "test_steps.py").write_text(FAILING)
    shown = pytest_in(python).stdout
    assert ">       breaking.run()" in shown
    assert "Step broken of 'breaking' failed: AssertionError" in shown
    assert "penstock/runtime" not in shown
    assert "penstock/api" not in shown


@pytest.mark.parametrize("how", ["pytest", "coverage"])
def test_coverage_sees_every_line_of_every_step(project: Path, python: Any, how: str) -> None:
    """Of the caller's thread, of others and of an event loop's; and that one is missing."""
    if how == "pytest":
        done = pytest_in(python, "--cov=steps", "--cov-report=json")
    else:
        (project / "main.py").write_text(
            "import steps\nsteps.training.run()\nsteps.loading.run(4)\n"
        )
        python("-m", "coverage", "run", "--include=steps.py", "main.py")
        done = python("-m", "coverage", "json")
    assert (project / "coverage.json").exists(), done.stdout + done.stderr
    data = json.loads((project / "coverage.json").read_text())["files"]["steps.py"]
    last = len(STEPS.splitlines())
    assert data["missing_lines"] == [last]
