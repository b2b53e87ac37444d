"""The process of a step, and the one that started it: how they find code, and end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from penstock import Client, Status

MODULE = """
import helper
from penstock import pipeline, step

@step(step_operator="apart", cache=False)
def ask() -> str:
    return helper.ANSWER

@pipeline(progress=False)
def asking() -> str:
    return ask()

if __name__ == "__main__":
    print(asking.run().result())
"""

STACK = """
active: mine
step_operators:
  apart: {flavor: subprocess}
stacks:
  mine: {orchestrator: default, artifact_store: default, step_operators: [apart]}
"""

LASTING = """
from penstock import pipeline
from work import last_long

@pipeline
def lasting():
    last_long.with_options(step_operator="apart", retries=2)("process")

if __name__ == "__main__":
    lasting.run()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "penstock.yaml").write_text(STACK)
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        (".", ["asking.py"]),
        ("sub", ["sub/asking.py"]),
        ("package", ["-m", "package.asking"]),
        ("package", ["-m", "package"]),
        ("sub", ["-m", "IPython", "--no-banner", "sub/asking.py"]),
    ],
)
def test_a_step_is_found_however_its_file_was_started(
    project: Path, folder: str, words: list[str]
) -> None:
    (project / folder).mkdir(exist_ok=True)
    (project / folder / "__init__.py").touch()
    (project / folder / "asking.py").write_text(MODULE)
    (project / folder / "__main__.py").write_text(MODULE)
    helper = project if words[0] == "-m" and folder == "package" else project / folder
    (helper / "helper.py").write_text('ANSWER = "found"\n')
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip

    assert "found" in done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize("words", [["-c", MODULE], ["-"]])
def test_a_step_of_no_file_is_refused(project: Path, words: list[str]) -> None:
    (project / "helper.py").write_text('ANSWER = "found"\n')
    done = subprocess.run(
        [sys.executable, *words], input=MODULE, capture_output=True, text=True, check=False
    )

    assert "step ask (<" in done.stderr
    assert "is defined where no other process can find it" in done.stderr
    assert "the step operator 'apart' runs it in another one" in done.stderr
    assert not (project / ".penstock/runs").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_of_a_step_outlives_the_one_that_started_it(
    project: Path, work: object, number: int
) -> None:
    (project / "lasting.py").write_text(LASTING)
    script = subprocess.Popen(
        [sys.executable, "lasting.py"], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    child = psutil.Process(int(_soon(lambda: _text(project / "process"))))
    os.killpg(script.pid, number)  # as a terminal does it
    _, said = script.communicate(timeout=120)
    _soon(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)

    run = Client("mine").run("last")
    assert run["last_long"].status is Status.STOPPED
    assert run.status is (Status.LOST if number == signal.SIGKILL else Status.STOPPED)
    assert len(list((project / ".penstock/runs" / run.id / "attempts/last_long").iterdir())) == 1
    assert said.count("last_long  stopped after") == (number != signal.SIGKILL)


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _soon(what: Callable[[], object]) -> object:
    """Waits until there is something."""
    for _ in range(12_000):
        if found := what():
            return found
        time.sleep(0.01)
    raise AssertionError("nothing came of it")
