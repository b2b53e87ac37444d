"""Worker processes and steps that no other process can import: scripts, prompts, functions."""

import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from penstock import LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.errors import CannotRun

PROGRAM = """
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from penstock import LocalArtifactStore, LocalOrchestrator, RunFailed, Stack, pipeline, step

OFFSET = 5

class Parts(NamedTuple):
    number: int
    model: Model

class Model:
    def __init__(self, number):
        self.number = number

    def predict(self):
        return scaled(self.number)

@dataclass
class Settings:
    shift: int

def scaled(number):
    return 2 * number + OFFSET

@step
def fit(number: int) -> Parts:
    return Parts(number, Model(number))

@step
def predict(model: Model, settings: Settings) -> Settings:
    return Settings(model.predict() + settings.shift)

@step
def shift(settings: Settings) -> Annotated[int, "shift"]:
    return settings.shift

def times(factor):
    @step
    def multiplied(number: int) -> int:
        return factor * number
    return multiplied

@step(cache=False)
def where() -> int:
    return os.getpid()

@step
def fails(number: int) -> int:
    raise ValueError(f"no {number}")

@pipeline(progress=False)
def training(settings: Settings):
    number, model = fit(3)
    multiplied = times(2)(number), times(3)(number)
    return predict(model, settings), shift(settings), *multiplied, where()

@pipeline(progress=False)
def failing():
    fails(3)

def stack(workers):
    return Stack(
        "here",
        orchestrator=LocalOrchestrator(workers=workers, max_workers=1),
        artifact_store=LocalArtifactStore(path="store"),
    )

def ran(workers):
    run = training.on(stack(workers)).run(Settings(1))
    *values, pid = run.result()
    formats = {made.artifact.format for view in run for made in view.outputs.values()}
    statuses = {view.status.value for view in run if view.id != "where"}
    print(sorted(statuses), values, pid == os.getpid())
    print(sorted(formats), type(run["fit"].outputs["model"].load()) is Model)
    return run

def told(workers):
    try:
        failing.on(stack(workers)).run()
    except RunFailed as error:
        return error.run["fails"].record.failure

if __name__ == "__main__":
    ran("processes")
    ran("threads")
    assert told("processes") == told("threads")
    assert "in fails" in told("processes").traceback
"""

SAID = """\
['completed'] [Settings(shift=12), 1, 6, 9] False
['dataclass/1', 'json/1', 'pickle/1'] True
['cached'] [Settings(shift=12), 1, 6, 9] True
['dataclass/1', 'json/1', 'pickle/1'] True
"""


@pytest.mark.parametrize(
    "words", [["training.py"], ["training"], ["-m", "training"], ["-c", PROGRAM], ["-"]]
)
def test_a_step_runs_in_a_worker_wherever_it_is_defined(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "training.py").write_text(PROGRAM)
    (tmp_path / "training").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, *words], input=PROGRAM, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == SAID


def test_a_script_without_a_main_block_is_one_error(tmp_path: Path) -> None:
    body = PROGRAM.partition("if __name__")[0]
    (tmp_path / "unguarded.py").write_text(body + 'ran("processes")\n')
    done = subprocess.run(
        [sys.executable, "unguarded.py"], capture_output=True, text=True, check=False
    )
    assert done.stderr.count("while a worker imports 'unguarded'") == 1
    assert done.stderr.endswith("Move it under `if __name__ == '__main__':`.\n")


def in_workers(**options: Any) -> Stack:
    return Stack(
        "here",
        orchestrator=LocalOrchestrator(workers="processes", max_workers=1, **options),
        artifact_store=LocalArtifactStore(path="store"),
    )


class Local:
    """Of a module that no worker can import: pytest has a way of its own to find it."""

    def __init__(self, number: int) -> None:
        self.number = number


@step
def made(number: int) -> Local:
    return Local(number)


@step
def looked_at(value: Local, again: Local) -> int:
    return value.number + again.number


def test_a_module_that_no_worker_can_import_is_sent() -> None:
    @pipeline(progress=False)
    def making(given: Local) -> Any:
        value = made(3)
        return value, looked_at(value, given)

    value, number = making.on(in_workers()).run(Local(4)).result()
    assert type(value) is Local
    assert number == 7


def test_a_step_that_cannot_be_sent_is_refused_before_anything_runs() -> None:
    lock = threading.Lock()

    @step
    def locked(number: int) -> int:
        with lock:
            return number

    @pipeline(progress=False)
    def locking() -> int:
        return locked(1)

    with pytest.raises(CannotRun) as caught:
        locking.on(in_workers()).run()
    code: Any = locked.function
    where = f"({__file__}:{code.__code__.co_firstlineno})"
    assert f"Step 'locked' {where} cannot be sent to a worker process" in str(caught.value)
    assert "take LocalOrchestrator(workers='threads')" in str(caught.value)


def test_a_step_with_an_open_file_is_refused() -> None:
    with open(__file__) as file:

        @step
        def reading(number: int) -> str:
            return file.read(number)

        @pipeline(progress=False)
        def read() -> str:
            return reading(1)

        with pytest.raises(CannotRun, match=r"cannot pickle '_io\.TextIOWrapper' object"):
            read.on(in_workers()).run()


def test_a_component_that_is_defined_in_a_function_is_told(tmp_path: Path) -> None:
    class Mine(LocalArtifactStore):
        flavor = "of-a-function"

    @pipeline(progress=False)
    def making() -> Local:
        return made(1)

    here = Stack(
        "here",
        orchestrator=LocalOrchestrator(workers="processes"),
        artifact_store=Mine(path="store"),
    )
    with pytest.raises(CannotRun, match="The stack 'here' cannot be given to worker processes"):
        making.on(here).run()


def test_a_module_that_fails_in_the_worker_says_where(tmp_path: Path) -> None:
    text = """
        import os
        from penstock import LocalArtifactStore, LocalOrchestrator, Stack, pipeline
        import picky

        @pipeline(progress=False)
        def picking():
            return picky.pick()

        if __name__ == "__main__":
            os.environ["PICKY"] = "1"
            picking.on(Stack(
                "here",
                orchestrator=LocalOrchestrator(workers="processes"),
                artifact_store=LocalArtifactStore(path="store"),
            )).run()
    """
    (tmp_path / "picking.py").write_text(textwrap.dedent(text))
    (tmp_path / "picky.py").write_text(
        "import os\nfrom penstock import step\n"
        "if 'PICKY' in os.environ:\n    raise RuntimeError('not here')\n"
        "@step\ndef pick() -> int:\n    return 1\n"
    )
    done = subprocess.run(
        [sys.executable, "picking.py"], capture_output=True, text=True, check=False
    )
    assert (
        "The steps cannot run in worker processes: RuntimeError: not here "
        f"({tmp_path / 'picky.py'}:4)." in done.stderr
    )
