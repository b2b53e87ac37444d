"""Steps in processes of their own, with this Python and with another one."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, RunFailed, Stack, Status, SubprocessStepOperator, pipeline, step
from penstock.errors import CannotRun, RunCancelled
from penstock.runtime import processes

Ended = Callable[..., Any]
Stacks = Callable[..., Stack]


COMPARING = """
from dataclasses import asdict

import work
from penstock import LocalOrchestrator, LocalArtifactStore, RunFailed, Stack, pipeline
from penstock import SubprocessStepOperator

VARYING = {"run", "started", "wall", "cpu", "peak_memory", "signer", "verified"}

@pipeline(progress=False)
def ordinary(operator):
    for each in work.ORDINARY:
        each.with_options(step_operator=operator)(3)

def told(operator):
    stack = Stack(
        "here",
        orchestrator=LocalOrchestrator(failure="finish"),
        artifact_store=LocalArtifactStore(path=f"store-{operator}"),
        step_operators=[SubprocessStepOperator()],
    )
    try:
        run = ordinary.on(stack).run(operator)
    except RunFailed as error:
        run = error.run
    return {view.id: [asdict(view.record), view.logs()] for view in run}

here, there = told(None), told("subprocess")
for record, _ in [*here.values(), *there.values()]:
    for name in VARYING:
        del record[name]
assert len(here) == len(work.ORDINARY)
for name in here:
    assert there[name] == here[name], (there[name], here[name])
"""


def test_a_step_leaves_the_same_wherever_it_runs(work: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPARING], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_what_a_step_prints_is_seen_once(
    work: Any, stack: Stacks, ended: Ended, capfd: pytest.CaptureFixture[str]
) -> None:
    run = ended(stack(), (work.prints, 3))

    assert capfd.readouterr() == ("out 3\nno end of a line", "err 3\n")
    assert run.logs() == ""


def test_another_attempt_is_noted_as_ever(
    work: Any, stack: Stacks, ended: Ended, capfd: pytest.CaptureFixture[str]
) -> None:
    ended(stack(), (work.again, 3))

    said = capfd.readouterr().err
    assert "  note: again failed (OSError: later), attempt 1 of 2, again in" in said


def test_the_error_of_a_step_is_the_cause(work: Any, stack: Stacks) -> None:
    broken = work.raises.with_options(step_operator="subprocess")

    @pipeline(progress=False)
    def breaking() -> Any:
        return broken(3)

    with pytest.raises(RunFailed, match="failed: ValueError: no 3") as caught:
        breaking.on(stack()).run()
    assert str(caught.value.__cause__) == "ValueError: no 3"


# What a step can do to its process.


def test_a_process_that_ends_leaves_a_failed_step(work: Any, stack: Stacks, ended: Ended) -> None:
    run = ended(
        stack(),
        (work.crash,),
        *((work.leave.with_options(name=f"leave-{code}"), code) for code in (0, 1, 7)),
    )

    failures = {view.id: view.record.failure for view in run}
    assert {failure.kind for failure in failures.values()} == {"LostStep"}
    assert failures["crash"].message == "Its process was killed by SIGSEGV."
    assert "work.py" in failures["crash"].traceback
    assert "penstock/runtime" not in failures["crash"].traceback
    for code in (0, 1, 7):
        said = f"Its process ended with exit code {code} and left no result."
        assert failures[f"leave-{code}"].message == said
        assert run[f"leave-{code}"].logs() == f"last words\nLostStep: {said}\n"


def test_a_process_that_was_killed_is_another_attempt(
    work: Any, stack: Stacks, ended: Ended, tmp_path: Path
) -> None:
    run = ended(stack(), (work.killed_at_first.with_options(retries=1), str(tmp_path)))

    assert run["killed_at_first"].record.attempt == 2
    assert run["killed_at_first"].output.load() == 2


def test_a_step_that_nothing_in_its_process_can_end_is_ended(
    work: Any, stack: Stacks, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.runtime.elsewhere.child.LATE", 0.2)
    run = ended(stack(), (work.deaf,))

    assert run["deaf"].status is Status.TIMED_OUT
    assert run["deaf"].record.failure.message.startswith(
        "Step deaf took longer than its timeout of 0.2 s."
    )


def test_threads_that_a_step_leaves_behind_end_with_its_process(
    work: Any, stack: Stacks, ended: Ended, capfd: pytest.CaptureFixture[str]
) -> None:
    run = ended(stack(), (work.leave_thread, 600.0))

    assert run["leave_thread"].status is Status.COMPLETED
    assert "the step has left threads behind, which end now: left" in capfd.readouterr().err


def test_a_step_that_forks_is_finished_by_one_process(
    work: Any, stack: Stacks, ended: Ended
) -> None:
    run = ended(stack(), (work.fork,))

    assert run["fork"].output.load() > 0


def test_the_working_directory_is_the_pipelines(work: Any, stack: Stacks, ended: Ended) -> None:
    before = os.getcwd()
    run = ended(stack(), (work.move,), (work.place,))

    assert run["move"].output.load() == "/"
    assert run["place"].output.load()["directory"] == os.getcwd() == before


def test_a_step_has_no_input(work: Any, stack: Stacks, ended: Ended) -> None:
    assert ended(stack(), (work.place,))["place"].output.load()["input"] == ""


# Where it runs.


def test_several_operators_serve_one_pipeline(
    work: Any, stack: Stacks, other: Path, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    operators = [
        SubprocessStepOperator(name="same", env={"VARIABLE": "of the same"}),
        SubprocessStepOperator(name="other", python=str(other), directory="there"),
    ]
    place = work.place.with_options(cache=False)
    same, another = (place.with_options(step_operator=each.name) for each in operators)

    @pipeline(progress=False)
    def placing() -> Any:
        return same(), another()

    here, there = placing.on(stack(*operators)).run().result()

    assert (here["python"], here["variable"]) == (sys.executable, "of the same")
    assert (there["python"], there["variable"]) == (str(other / "bin/python"), None)
    assert (here["directory"], there["directory"]) == (str(tmp_path), str(tmp_path / "there"))


def test_another_python_looks_for_results_itself(
    work: Any, stack: Stacks, ended: Ended, other: Path
) -> None:
    elsewhere = stack(SubprocessStepOperator(python=str(other)))
    first, second = (ended(elsewhere, (work.fine, 1)) for _ in range(2))

    assert first["fine"].status is Status.COMPLETED
    assert second.record.hits == {}
    assert second["fine"].status is Status.CACHED
    assert second["fine"].output.load() == 2


def test_a_python_without_penstock_says_how_to_install_it(
    work: Any, stack: Stacks, ended: Ended, bare: Path
) -> None:
    step = work.fine.with_options(retries=3)
    run = ended(stack(SubprocessStepOperator(python=str(bare))), (step, 1))
    failure = run["fine"].record.failure

    python = bare / "bin/python"
    assert failure.message.startswith(f"{python} has no penstock.\nType: {python} -m pip install ")
    assert run["fine"].record.attempt == 1, "another attempt would end in the same way"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 3.9; echo 0.1.0", " is Python 3.9; penstock needs 3.11 or newer."),
        ("echo 3.11; echo 0.0.7", " has penstock 0.0.7, and this process has "),
        ("exit 1", " is no Python that answers."),
    ],
)
def test_what_cannot_run_a_step_is_said(
    work: Any, stack: Stacks, ended: Ended, tmp_path: Path, script: str, said: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\nexit 1\n")
    python.chmod(0o755)
    run = ended(stack(SubprocessStepOperator(python="python")), (work.fine, 1))

    assert run["fine"].record.failure.message.startswith(f"{python}{said}")


def test_a_script_may_stand_in_place_of_the_interpreter(
    work: Any, stack: Stacks, ended: Ended, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nVARIABLE=wrapped "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    run = ended(stack(SubprocessStepOperator(python="python")), (work.place,))

    assert run["place"].output.load()["variable"] == "wrapped"


# What is refused before anything runs.


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"python": "nowhere"}, "the step operator 'subprocess': python: there is no '{}/nowhere'"),
        ({"python": "."}, "python: there is no '{}/bin/python'"),
        ({"python": "work.py"}, "python: '{}/work.py' cannot be executed"),
        ({"directory": "nowhere"}, "directory: there is no folder '{}/nowhere'"),
    ],
)
def test_a_place_that_is_not_there_is_refused(
    work: Any, stack: Stacks, ended: Ended, tmp_path: Path, options: dict[str, str], said: str
) -> None:
    with pytest.raises(CannotRun) as caught:
        ended(stack(SubprocessStepOperator(**options)), (work.fine, 1))

    assert said.format(tmp_path) in str(caught.value)
    assert "(step fine asks for it)" in str(caught.value)


def test_a_step_that_no_other_process_finds_is_refused(stack: Stacks, ended: Ended) -> None:
    @step
    def inside() -> None: ...

    with pytest.raises(CannotRun, match=r"step inside .* is defined inside a function"):
        ended(stack(), (inside,))


def test_an_operator_that_the_stack_does_not_have_is_refused(work: Any, stack: Stacks) -> None:
    @pipeline(progress=False)
    def asking() -> Any:
        return work.fine.with_options(step_operator="gpu")(1)

    with pytest.raises(CannotRun, match="asks for the step operator 'gpu'; the stack has 'sub"):
        asking.on(stack()).run()


def test_it_is_written_in_penstock_yaml(work: Any, tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").write_text(
        "step_operators:\n"
        "  gpu: {flavor: subprocess, env: {VARIABLE: written}, directory: /}\n"
        "stacks:\n"
        "  mine:\n"
        "    {orchestrator: default, artifact_store: default, step_operators: [gpu],\n"
        "     steps: {place: {step_operator: gpu}}}\n"
    )

    @pipeline(progress=False)
    def placing() -> Any:
        return work.place()

    found = placing.on("mine").run().result()

    assert (found["variable"], found["directory"]) == ("written", "/")
    assert Client("mine").run("last")["place"].status is Status.COMPLETED


def test_a_step_that_closes_what_is_not_its_own_does_not_hang(
    work: Any, stack: Stacks, ended: Ended
) -> None:
    run = ended(stack(), (work.closes, 3))

    assert run["closes"].output.load() == 3


def test_what_a_step_has_started_ends_with_it_when_the_run_is_stopped(
    work: Any, stack: Stacks, tmp_path: Path
) -> None:
    @pipeline(wait=False, progress=False)
    def starting() -> None:
        work.starts_another.with_options(step_operator="subprocess", timeout=60)(
            str(tmp_path / "note")
        )

    run = starting.on(stack()).run()
    note = tmp_path / "note"
    _until(lambda: note.exists() and note.read_text())
    run.cancel()
    with pytest.raises(RunCancelled):
        run.wait(120)
    _until(lambda: not processes.is_alive(int(note.read_text()), ""))


def _until(condition: Callable[[], object]) -> None:
    """Wait for what is bound to happen."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
