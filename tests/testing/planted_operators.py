"""Step operators with one defect each, and the test of the suite that must find it.

Run by `test_planted.py` in a pytest of its own; every class but the last is meant to fail.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from penstock.stack import Job, StepOperator
from penstock.testing import StepOperatorTests


@dataclass(frozen=True, kw_only=True)
class Child(StepOperator):
    flavor: ClassVar[str] = "child"

    def environment(self, job: Job) -> Mapping[str, str]:
        return {**os.environ, **job.environment}

    def run(self, job: Job, call_id: str) -> None:
        command, environment = job.command(call_id), self.environment(job)
        subprocess.run(command, env=environment, capture_output=True, check=False)


class Nowhere(Child):
    caught_by: ClassVar = "test_inputs_and_outputs_go_through_the_store"

    def run(self, job: Job, call_id: str) -> None:
        return


class InThisProcess(Child):
    caught_by: ClassVar = "test_a_step_runs_in_another_process"

    def run(self, job: Job, call_id: str) -> None:
        job.execute(call_id)


class Impatient(Child):
    caught_by: ClassVar = "test_a_failed_attempt_is_followed_by_another"

    def run(self, job: Job, call_id: str) -> None:
        try:
            subprocess.run(job.command(call_id), timeout=0.01, check=False)
        except subprocess.TimeoutExpired:
            return


class Stubborn(Child):
    caught_by: ClassVar = "test_what_a_step_raises_is_its_record"

    def run(self, job: Job, call_id: str) -> None:
        super().run(job, call_id)
        if job.record(call_id) is None:
            super().run(job, call_id)


class OwnEnvironment(Child):
    caught_by: ClassVar = "test_a_secret_of_the_stack_reaches_the_other_side"

    def environment(self, job: Job) -> Mapping[str, str]:
        return os.environ


class BareEnvironment(Child):
    caught_by: ClassVar = "test_a_step_has_the_secrets_that_it_asks_for"

    def environment(self, job: Job) -> Mapping[str, str]:
        return {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH")}


PLANTED = [
    kind
    for kind in list(globals().values())
    if isinstance(kind, type) and hasattr(kind, "caught_by")
]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other processes find the flavor by the project's file."""
    file = tmp_path / "penstock.yaml"
    file.write_text('flavors: {step-operator: {child: "planted_operators:Child"}}\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)


def _suite(kind: type[Child]) -> type:
    class Suite(StepOperatorTests):
        @pytest.fixture
        def operator(self) -> StepOperator:
            return kind()

    return Suite


for _kind in [*PLANTED, Child]:
    globals()[f"Test{_kind.__name__}"] = _suite(_kind)
