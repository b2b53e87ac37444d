"""Maps over lists that a step produces, in processes that share only the store."""

import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, RunFailed, Status

PROJECT = '''
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from penstock import pipeline, step
from penstock.stack import Orchestrator, StepOperator

@step
def arrays(count: int) -> list[np.ndarray]:
    return [np.full(2000, place) for place in range(count)]

@step
def mean(rows: np.ndarray) -> float:
    print("mean of", rows[0])
    if rows[0] == 2:
        raise ValueError("2 brings bad luck")
    return float(rows.mean())

@step
def total(of: list[float]) -> float:
    return sum(of)

@step
def is_large(count: int) -> bool:
    return count > 1

@pipeline(progress=False)
def totals(count: int = 2) -> Any:
    return total(mean.map(arrays(count)))

@pipeline(progress=False)
def operated(count: int = 2) -> Any:
    return total(mean.with_options(step_operator="apart").map(arrays(count)))

@pipeline(progress=False)
def conditional(count: int = 2) -> Any:
    large = is_large(count)
    return total.when(large)(mean.map(arrays(count))), total.unless(large)([0.5])

@dataclass(frozen=True, kw_only=True)
class Recording(Orchestrator):
    """Runs every step as a process, one after the other; with `each` also every item of a map."""
    flavor: ClassVar[str] = "recording"
    each: bool = False

    def submit(self, job: Any, observer: Any) -> None:
        for call in job.pending:
            items = [item.id for item in job.expand(call)] if self.each else []
            for id in (*items, call):
                done = subprocess.run(job.command(id), capture_output=True, text=True)
                if done.returncode:
                    print(done.stderr, file=sys.stderr)
                    return

@dataclass(frozen=True, kw_only=True)
class Apart(StepOperator):
    """Runs a step as a process."""
    flavor: ClassVar[str] = "apart"

    def run(self, job: Any, call_id: str) -> None:
        assert job.plan.graph.calls[call_id].step.options.step_operator == "apart"
        subprocess.run(job.command(call_id), check=True, capture_output=True)
'''

CONFIGURATION = """
flavors:
  orchestrator: {recording: "map_project:Recording"}
  step-operator: {apart: "map_project:Apart"}
orchestrators:
  each: {flavor: recording, each: true}
  whole: {flavor: recording}
step_operators:
  apart: {flavor: apart}
artifact_stores:
  there: {flavor: local, path: there}
stacks:
  each: {orchestrator: each, artifact_store: there}
  whole: {orchestrator: whole, artifact_store: there}
  operated: {orchestrator: default, artifact_store: there, step_operators: [apart]}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "map_project.py").write_text(PROJECT)
    (tmp_path / "penstock.yaml").write_text(CONFIGURATION)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("map_project")
    del sys.modules["map_project"]


@pytest.mark.parametrize("stack", ["each", "whole"])
def test_items_run_as_processes(project: Any, stack: str) -> None:
    """A process per item, or one for the whole map where nobody asks what it becomes."""
    run = project.totals.on(stack).run()
    assert run.status is Status.COMPLETED
    assert run.result() == 1.0
    assert [view.logs() for view in run["mean"]] == ["mean of 0\n", "mean of 1\n"]
    assert [view.status for view in run["mean"]] == [Status.COMPLETED] * 2


def test_only_what_is_missing_runs_as_a_process(project: Any) -> None:
    project.totals.on("each").run(1)
    run = project.totals.on("each").run(2)
    assert [str(view.status) for view in run["mean"]] == ["cached", "completed"]


@pytest.mark.parametrize("stack", ["each", "whole"])
def test_an_item_that_fails_there_is_what_failed(project: Any, stack: str) -> None:
    with pytest.raises(RunFailed, match=r"Step mean\.2 of 'totals' failed: ValueError: 2"):
        project.totals.on(stack).run(3)
    run = Client(stack).run("last")
    assert run.status is Status.FAILED
    assert run["mean.2"].status is Status.FAILED
    assert run["mean.1"].status is Status.COMPLETED


def test_a_step_operator_is_given_each_item(project: Any) -> None:
    run = project.operated.on("operated").run()
    assert run.result() == 1.0
    assert run["mean.1"].logs() == "mean of 1\n"


def test_conditions_are_looked_at_where_the_step_runs(project: Any) -> None:
    run = project.conditional.on("whole").run(1)
    assert run.result() == (None, 0.5)
    assert run["total"].status is Status.SKIPPED
