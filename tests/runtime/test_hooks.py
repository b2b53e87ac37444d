"""Hooks: told once, in order, of what has happened; what they raise changes nothing."""

import dataclasses
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from penstock import Client, Retry, RunFailed, Stack, Status, pipeline, step
from penstock.model.records import StepRun
from penstock.runtime.run import Run
from penstock.stack.orchestrator import Job
from penstock.stack.step_operator import StepOperator

Made = Callable[..., Stack]

TOLD: list[tuple[str, str, str]] = []
"""Hook, step or run, and its status, as they come."""


@pytest.fixture(autouse=True)
def nothing_told() -> None:
    TOLD.clear()


def started(what: Any) -> None:
    TOLD.append(("start", _name(what), str(what.status)))


def succeeded(what: Any) -> None:
    TOLD.append(("success", _name(what), str(what.status)))


def failed(what: Any) -> None:
    TOLD.append(("failure", _name(what), str(what.status)))


def _name(what: Any) -> str:
    return what.call if isinstance(what, StepRun) else what.pipeline


HOOKS: dict[str, Any] = {"on_start": started, "on_success": succeeded, "on_failure": failed}


@step(**HOOKS)
def half(number: int) -> int:
    TOLD.append(("step", "half", ""))
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number // 2


@pipeline(progress=False, **HOOKS)
def halving(number: int) -> int:
    return half(number)


def test_steps_and_runs_tell_in_order() -> None:
    halving.run(4)
    assert TOLD == [
        ("start", "halving", "running"),
        ("start", "half", "running"),
        ("step", "half", ""),
        ("success", "half", "completed"),
        ("success", "halving", "completed"),
    ]


def test_a_failure_is_told_to_the_other_hook() -> None:
    with pytest.raises(RunFailed):
        halving.run(3)
    assert TOLD == [
        ("start", "halving", "running"),
        ("start", "half", "running"),
        ("step", "half", ""),
        ("failure", "half", "failed"),
        ("failure", "halving", "failed"),
    ]


def test_of_what_the_cache_has_only_the_run_is_told() -> None:
    halving.run(4)
    TOLD.clear()
    halving.run(4)
    assert [told[:2] for told in TOLD] == [("start", "halving"), ("success", "halving")]


def test_of_a_hit_behind_a_miss_no_step_is_told() -> None:
    @step(cache=False)
    def four(after: int) -> int:
        return 4

    @pipeline(progress=False)
    def chained(number: int) -> int:
        return half(four(number))

    chained.run(1)
    TOLD.clear()
    assert chained.run(2)["half"].status is Status.CACHED
    assert TOLD == []


def test_a_step_that_is_tried_again_tells_once() -> None:
    @step(retries=Retry(times=2, delay=0), **HOOKS)
    def broken() -> int:
        TOLD.append(("try", "broken", ""))
        raise OSError("no")

    @pipeline(progress=False)
    def breaking() -> int:
        return broken()

    with pytest.raises(RunFailed):
        breaking.run()
    assert [event for event, *_ in TOLD] == ["start", "try", "try", "try", "failure"]


def test_hooks_are_given_the_record_and_the_run() -> None:
    seen: list[Any] = []

    @step(on_success=seen.append)
    def load() -> int:
        return 3

    @pipeline(progress=False, on_success=seen.append)
    def loading() -> int:
        return load()

    run = loading.run()
    record, ended = seen
    assert isinstance(record, StepRun)
    assert (record.run, record.call, record.outputs["output"].size) == (run.id, "load", 1)
    assert isinstance(ended, Run)
    assert ended.result() == 3


def test_a_run_is_told_of_as_it_is_recorded() -> None:
    statuses: list[str] = []

    def look(run: Run[Any]) -> None:
        statuses.append(str(Client().run(run.id).status))

    halving.with_options(on_start=look, on_success=look).run(4)
    assert statuses == ["running", "completed"]


# Hooks that raise.


def broken_hook(what: Any) -> None:
    raise LookupError("no channel")


def test_an_error_in_a_hook_is_one_note_and_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @step(on_success=broken_hook)
    def load() -> int:
        return 3

    @pipeline(on_start=broken_hook)
    def loading() -> int:
        return load()

    run = loading.run()
    assert run.result() == 3
    assert run.status is Status.COMPLETED
    notes = [line for line in capsys.readouterr().err.splitlines() if "note:" in line]
    line = Path(__file__).read_text().splitlines().index('    raise LookupError("no channel")') + 1
    assert len(notes) == 2
    for note in notes:
        assert re.fullmatch(
            rf"  note: the hook broken_hook \(.*test_hooks\.py:{line - 1}\) failed: "
            rf"LookupError: no channel \(line {line} in broken_hook\)",
            note,
        )


def test_an_error_in_the_hook_of_a_failure_leaves_the_failure() -> None:
    with pytest.raises(RunFailed, match=r"ValueError: 3 is odd"):
        halving.with_options(on_failure=broken_hook).run(3)


def test_a_hook_may_be_anything_that_can_be_called() -> None:
    class Counter:
        calls = 0

        def __call__(self, what: Any) -> None:
            self.calls += 1

    counter = Counter()
    halving.with_options(on_start=counter, on_success=counter).run(4)
    assert counter.calls == 2


# With failure="collect".


def test_a_collected_failure_is_a_failure_of_its_step_and_no_failure_of_the_run(
    stack: Made,
) -> None:
    @pipeline(progress=False, **HOOKS)
    def mapping() -> list[int]:
        return half.map([1])

    mapping.on(stack(failure="collect")).run()
    assert [told for told in TOLD if told[0] != "step"] == [
        ("start", "mapping", "running"),
        ("start", "half.0", "running"),
        ("failure", "half.0", "failed"),
        ("success", "mapping", "completed"),
    ]


# With a step operator.


class InHere(StepOperator):
    """Runs the step in this process, which knows its hooks."""

    flavor: ClassVar[str] = "in-here"

    def run(self, job: Job, call_id: str) -> None:
        job.execute(call_id)


def test_an_operator_that_runs_a_step_in_this_process_tells_nothing_twice(stack: Made) -> None:
    @pipeline(progress=False)
    def operated() -> int:
        return half.with_options(step_operator="in-here")(4)

    here = dataclasses.replace(stack(), step_operators=(InHere(name="in-here"),))
    operated.on(here).run()
    assert [event for event, *_ in TOLD] == ["start", "step", "success"]


APART = """
import os
from pathlib import Path
from penstock import Retry, RunFailed, pipeline, step

def told(event):
    def hook(record):
        with open(f"{event}.txt", "a") as file:
            file.write(f"{record.call} {record.status} {os.getpid() == boss}\\n")
    return hook

boss = int(os.environ.setdefault("BOSS", str(os.getpid())))
hooks = {f"on_{event}": told(event) for event in ("start", "success", "failure")}

@step(step_operator="apart", **hooks)
def fine(number: int) -> int:
    return number

@step(step_operator="apart", retries=Retry(times=1, delay=0), **hooks)
def broken(number: int) -> int:
    raise OSError("no")

@step(cache=False)
def one(number: int) -> int:
    return 1

@pipeline(progress=False)
def main(number: int) -> object:
    made = fine(one(number))
    return broken.after(made)(made)

if __name__ == "__main__":
    for number in (1, 2):
        try:
            main.on("here").run(number)
        except RunFailed as error:
            print({view.id: str(view.status) for view in error.run})
"""

STACK = """
step_operators: {apart: {flavor: subprocess}}
stacks: {here: {orchestrator: default, artifact_store: default, step_operators: [apart]}}
"""


def test_hooks_of_a_step_with_an_operator_are_told_once_and_here(
    python: Any, tmp_path: Path
) -> None:
    (tmp_path / "hooking.py").write_text(APART)
    (tmp_path / "penstock.yaml").write_text(STACK)
    first, second = python("hooking.py").stdout.splitlines()
    assert first == "{'one': 'completed', 'fine': 'completed', 'broken': 'failed'}"
    assert second == "{'one': 'completed', 'fine': 'cached', 'broken': 'failed'}"
    assert (tmp_path / "start.txt").read_text().splitlines() == [
        "fine running True", "broken running True", "broken running True",
    ]  # fmt: skip
    assert (tmp_path / "success.txt").read_text() == "fine completed True\n"
    assert (tmp_path / "failure.txt").read_text() == "broken failed True\n" * 2


def test_a_hook_that_calls_sys_exit_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    @step(on_success=lambda record: sys.exit(0))
    def load() -> int:
        return 3

    @pipeline(on_success=lambda run: sys.exit(0))
    def loading() -> int:
        return load.after(load())()

    assert loading.run().status is Status.COMPLETED
    assert capsys.readouterr().err.count("failed: SystemExit: 0") >= 2


def test_a_hook_that_cannot_be_called_so_names_no_line_of_ours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @pipeline(on_start=lambda: None)
    def loading() -> int:
        return half(4)

    loading.run()
    assert "0 positional arguments but 1 was given\n" in capsys.readouterr().err
