"""Steps in processes of their own: for orchestrators and step operators that others write."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, Run, RunFailed, Status, pipeline
from penstock.errors import NotHere, RunError
from penstock.runtime import loading

PROJECT = '''
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from penstock import LocalArtifactStore, LocalOrchestrator, Resources, Stack, pipeline, step
from penstock.stack import Orchestrator, StepOperator

class Parts(NamedTuple):
    low: list[int]
    high: np.ndarray

@dataclass
class Model:
    weight: float

@step
def load(count: int) -> Parts:
    print("loading")
    return Parts(list(range(count)), np.arange(1000.0) * count)

@step(retries=1, version="1")
def train(low: list[int], high: np.ndarray, rate: float) -> Model:
    return Model(rate * float(high.sum()) + sum(low))

@step
def compare(models: dict[str, Model], base: tuple[int, ...]) -> list[str]:
    return sorted(name for name, model in models.items() if model.weight > base[0])

@step
def where() -> int:
    return os.getpid()

@step
def broken(low: list[int]) -> int:
    raise ValueError(f"no {len(low)}")

@pipeline(progress=False)
def comparing(count: int = 5) -> Any:
    parts = load(count)
    small = train.with_options(version="2")(parts.low, parts.high, 0.1)
    big = train(parts.low, parts.high, rate=2.0)
    return compare({"small": small, "big": big}, (1, 2)), parts.low

@pipeline(progress=False)
def breaking() -> Any:
    return broken([1, 2, 3])

@pipeline(progress=False)
def fetching() -> Any:
    return load(3).low

@pipeline(progress=False)
def locating() -> Any:
    return where.with_options(step_operator="apart", cache=False)()

@dataclass(frozen=True, kw_only=True)
class Recording(Orchestrator):
    """Runs every step as a process, one after the other."""
    flavor: ClassVar[str] = "recording"
    skip: str = ""

    def submit(self, job: Any, observer: Any) -> None:
        for call in job.pending:
            if call == self.skip:
                continue
            done = subprocess.run(job.command(call), capture_output=True, text=True)
            record = job.record(call)
            assert (done.returncode == 0) is (record is not None), done.stderr
            if record is None:
                print(done.stderr, file=sys.stderr)
                return

@dataclass(frozen=True, kw_only=True)
class Apart(StepOperator):
    """Runs a step as a process."""
    flavor: ClassVar[str] = "apart"
    how: str = "run"

    def run(self, job: Any, call_id: str) -> None:
        if self.how == "raise":
            raise ConnectionError("no such host")
        if self.how == "run":
            subprocess.run(job.command(call_id), check=True, capture_output=True)
'''

CONFIGURATION = """
flavors:
  orchestrator: {recording: "project:Recording"}
  step-operator: {apart: "project:Apart"}
orchestrators:
  recording: {flavor: recording}
  lazy: {flavor: recording, skip: load}
step_operators:
  apart: {flavor: apart}
artifact_stores:
  there: {flavor: local, path: there}
stacks:
  recorded: {orchestrator: recording, artifact_store: there, step_operators: [apart]}
  lazy: {orchestrator: lazy, artifact_store: there}
  operated: {orchestrator: default, artifact_store: there, step_operators: [apart],
             steps: {load: {step_operator: apart}}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "project.py").write_text(PROJECT)
    (tmp_path / "penstock.yaml").write_text(CONFIGURATION)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("project")
    del sys.modules["project"]


def digests(run: Run[Any]) -> dict[tuple[str, str], str]:
    return {
        (view.id, name): made.artifact.digest for view in run for name, made in view.outputs.items()
    }


def keys(run: Run[Any]) -> list[str]:
    return [view.record.key for view in run]


def test_an_orchestrator_that_starts_processes_gives_the_same_records(project: Any) -> None:
    here = project.comparing.run()
    there = project.comparing.on("recorded").run()
    assert there.result() == here.result() == (["big", "small"], [0, 1, 2, 3, 4])
    assert digests(there) == digests(here)
    assert keys(there) == keys(here)
    assert there.status is Client("recorded").run(there.id).status is Status.COMPLETED
    assert there["load"].logs() == here["load"].logs() == "loading\n"
    assert there.record.orchestrator == "recording"


def test_the_seal_of_a_run_lists_the_records_of_other_processes(project: Any) -> None:
    run = project.fetching.on("recorded").run()
    sealed = Client("recorded")._ledger.sealed(run.id)
    assert sealed is not None
    assert set(sealed.steps) == set(run.record.calls)


def test_what_another_process_has_computed_is_a_hit_here(project: Any) -> None:
    project.fetching.on("recorded").run()
    assert project.fetching.on("operated").run()["load"].status is Status.CACHED


def test_a_step_that_fails_in_another_process_fails_the_run(project: Any) -> None:
    with pytest.raises(RunFailed, match="Step broken of 'breaking' failed: ValueError: no 3"):
        project.breaking.on("recorded").run()
    run = Client("recorded").run("last")
    assert run.status is Status.FAILED
    assert run["broken"].record.failure.traceback.count("File ") == 1


def test_an_orchestrator_that_forgets_a_step_is_found_out(project: Any) -> None:
    with pytest.raises(RunFailed) as caught:
        project.fetching.on("lazy").run()
    assert str(caught.value).startswith(
        "The orchestrator came back, but nobody has run these steps of 'fetching': 'load'."
    )
    assert Client("lazy").run("last").status is Status.STOPPED


def test_an_orchestrator_that_raises_is_heard_of(project: Any) -> None:
    class Broken(project.Recording):  # type: ignore[misc, name-defined]
        def submit(self, job: Any, observer: Any) -> None:
            raise RuntimeError("a defect")

    stack = Client("recorded").active_stack
    with pytest.raises(RunError, match=r"flavor 'recording'\) failed: RuntimeError: a defect"):
        project.comparing.on(replace(stack, orchestrator=Broken())).run()
    assert Client("recorded").run("last").status is Status.STOPPED


# Step operators.


def test_a_step_operator_runs_its_step_in_a_process_of_its_own(project: Any) -> None:
    assert project.locating.on("operated").run().result() != os.getpid()


def test_a_stack_can_say_which_step_its_operator_runs(project: Any) -> None:
    here, there = project.fetching.run(), project.fetching.on("operated").run()
    assert digests(there) == digests(here)
    assert keys(there) == keys(here)


def test_a_step_operator_runs_its_step_under_any_orchestrator(project: Any) -> None:
    run = project.locating.on("recorded").run()
    assert run["where"].status is Status.COMPLETED


def test_an_operator_that_raises_because_the_step_failed_does_not_hide_why(project: Any) -> None:
    broken = project.broken.with_options(step_operator="apart")

    @pipeline(progress=False)
    def breaking() -> Any:
        return broken([1, 2, 3])

    with pytest.raises(RunFailed, match="Step broken of 'breaking' failed: ValueError: no 3"):
        breaking.on("operated").run()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", "ConnectionError: no such host"),
        (
            "nothing",
            "LostStep: The step operator 'apart' came back, but step where left no record.",
        ),
    ],
)
def test_an_operator_that_leaves_nothing_fails_its_step(
    project: Any, how: str, message: str
) -> None:
    stack = Client("operated").active_stack
    with pytest.raises(RunFailed) as caught:
        project.locating.on(replace(stack, step_operators=[project.Apart(how=how)])).run()
    assert str(caught.value).startswith(f"Step where of 'locating' failed: {message}")
    assert Client("operated").run("last")["where"].status is Status.FAILED


# The command itself.


STARTING = """
from penstock import pipeline, step

@step
def ask():
    return 1

@pipeline
def asking():
    return ask()

asking.on("recorded").run()
"""


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("starting", STARTING, "asking.run() is called while a worker imports 'starting': "),
        (
            "project",
            PROJECT + "\ncomparing.on('recorded').run()\n",
            "comparing.run() is called while a worker imports the flavors of its stack: ",
        ),
    ],
)
def test_a_file_that_starts_its_pipeline_when_it_is_imported_starts_it_once(
    project: Any, tmp_path: Path, python: Any, file: str, text: str, what: str
) -> None:
    (tmp_path / f"{file}.py").write_text(text)
    done = python(f"{file}.py", check=False)
    assert done.returncode == 1
    assert f"Error: {what}" in done.stderr
    assert "Move it under `if __name__ == '__main__':`." in done.stderr


@pytest.mark.parametrize(
    ("line", "what"), [("asking.run()", "asking.run()"), ("asking.cli([])", "asking.cli()")]
)
def test_no_run_starts_while_a_worker_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, what: str
) -> None:
    (tmp_path / "starting.py").write_text(
        "from penstock import pipeline\n\n@pipeline\ndef asking():\n    return 1\n\n" + line
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(NotHere) as caught:
        loading.find_step("starting:asking")
    assert str(caught.value) == (
        f"{what} is called while a worker imports 'starting': every step would start the whole "
        "pipeline again.\n"
        "Move it under `if __name__ == '__main__':`."
    )
