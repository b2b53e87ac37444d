"""What every step operator must do. Its steps run by `job.command`, in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from penstock.api.pipeline import Pipeline, pipeline
from penstock.artifacts.local import LocalArtifactStore
from penstock.errors import RunFailed
from penstock.model.component import Secret
from penstock.model.records import Status
from penstock.model.retry import Retry
from penstock.model.step import Step
from penstock.orchestrators.local import LocalOrchestrator
from penstock.runtime.run import Run
from penstock.stack.stack import Stack
from penstock.stack.step_operator import StepOperator
from penstock.testing import steps


class StepOperatorTests:
    """Inherit from this and give it an `operator`.

    The other side must be able to import `penstock.testing.steps`.
    """

    @pytest.fixture
    def operator(self) -> StepOperator:
        """The operator, as a user would configure it."""
        raise NotImplementedError("A suite needs its own `operator` fixture.")

    @pytest.fixture
    def stack(self, operator: StepOperator, tmp_path: Path) -> Stack:
        """A stack with the operator, whose store the other side reaches."""
        return Stack(
            "tested",
            orchestrator=LocalOrchestrator(),
            artifact_store=LocalArtifactStore(path=str(tmp_path / "store")),
            step_operators=[operator],
        )

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        """A folder that the steps reach, too: there they leave what they did."""
        folder = tmp_path / "folder"
        folder.mkdir()
        return str(folder)

    def test_a_step_runs_in_another_process(self, stack: Stack) -> None:
        run = _run(stack, steps.process)

        assert run["process"].status is Status.COMPLETED
        assert run.result() != os.getpid()

    def test_inputs_and_outputs_go_through_the_store(self, stack: Stack) -> None:
        """From here to there and back; several outputs, small and large."""
        split, total, hand_on = (
            _with(stack, one) for one in (steps.split, steps.total, steps.hand_on)
        )
        large = b"large" * 2000

        @pipeline(progress=False)
        def passing() -> Any:
            low, high = split(4)
            return total(low), steps.hand_on(high), hand_on(large)

        run = passing.on(stack).run()

        assert run.result() == (6, "xxxx", large)
        assert list(run["split"].outputs) == ["low", "high"]

    def test_what_a_step_prints_is_its_log(self, stack: Stack) -> None:
        log = _run(stack, steps.talk, "of this")["talk"].logs()

        assert [log.count(f"{how} of this") for how in ("said", "complained", "logged")] == [1] * 3

    def test_what_a_step_raises_is_its_record(self, stack: Stack, folder: str) -> None:
        with pytest.raises(RunFailed, match="ValueError: no way") as caught:
            _run(stack, steps.fail, folder, "way")

        failure = caught.value.run["fail"].record.failure
        assert caught.value.run["fail"].status is Status.FAILED
        assert (failure.kind, failure.message) == ("ValueError", "no way")
        assert "steps.py" in failure.traceback
        assert 'raise ValueError(f"no {name}")' in failure.traceback
        assert steps.times(folder, "way") == 1

    def test_a_failed_attempt_is_followed_by_another(self, stack: Stack, folder: str) -> None:
        stubborn = steps.fail_at_first.with_options(retries=Retry(times=2, delay=0))
        run = _run(stack, stubborn, folder, "late", 1)

        assert run.result() == steps.times(folder, "late") == 2
        assert run["fail_at_first"].record.attempt == 2
        assert run["fail_at_first"].logs().count("attempt 2") == 1

    def test_a_result_that_is_there_needs_no_operator(self, stack: Stack, folder: str) -> None:
        first = _run(stack, steps.work, folder, "once", [], [1])
        second = _run(stack, steps.work, folder, "once", [], [1])

        assert second["work"].status is Status.CACHED
        assert second.result() == first.result() == 2
        assert steps.times(folder, "once") == 1

    def test_a_process_that_vanishes_is_a_failed_step(self, stack: Stack, folder: str) -> None:
        with pytest.raises(RunFailed) as caught:
            _run(stack, steps.vanish, folder, "gone")

        assert steps.times(folder, "gone") == 1
        assert not caught.value.run["vanish"].status.usable
        assert caught.value.run["vanish"].record.failure

    def test_a_step_has_the_secrets_that_it_asks_for(
        self, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(steps.NEVER_SEEN, "open sesame")

        assert _run(stack, steps.reveal).result() == "emases nepo"

    def test_a_secret_of_the_stack_reaches_the_other_side(
        self, stack: Stack, operator: StepOperator, tmp_path: Path
    ) -> None:
        """It is written in no plan: `job.environment` has it."""
        store = LocalArtifactStore(path=str(tmp_path / "signed"), signing_key=Secret("written out"))
        signed = Stack(
            "signed",
            orchestrator=stack.orchestrator,
            artifact_store=store,
            step_operators=[operator],
        )
        run = _run(signed, steps.hand_on, {"a": 1j})  # pickled, so that the signature is asked for

        assert run["hand_on"].record.status is Status.COMPLETED
        assert run.result() == {"a": 1j}

    def test_steps_of_one_run_may_share_it(self, stack: Stack, folder: str) -> None:
        work = _with(stack, steps.work)

        @pipeline(progress=False)
        def sharing() -> Any:
            return [work(folder, name, [], [number]) for number, name in enumerate("abc")]

        assert sharing.on(stack).run().result() == [1, 2, 3]
        assert [steps.times(folder, name) for name in "abc"] == [1, 1, 1]
        assert steps.too_early(folder) == {}


def _with(stack: Stack, step: Step[..., Any]) -> Step[..., Any]:
    """The step, to be run by the operator."""
    return step.with_options(step_operator=stack.step_operators[0].name)


def _run(stack: Stack, step: Step[..., Any], *arguments: Any) -> Run[Any]:
    """A run of this one step."""
    operated = _with(stack, step)

    @pipeline(progress=False)
    def one_step() -> Any:
        return operated(*arguments)

    alone: Pipeline[[], Any] = one_step
    return alone.on(stack).run()
