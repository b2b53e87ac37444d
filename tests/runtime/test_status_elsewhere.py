"""What a run is doing whose steps run on other machines, by what these leave in the store."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, Status
from penstock.model.records import Failure, RunRecord, StepRun
from penstock.runtime import processes
from penstock.runtime.cleaning import deletion
from penstock.runtime.elsewhere import jobs
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import End
from penstock.runtime.status import BEAT, MISSED, PATIENCE, run_status

RUN = "20261122-005412-k3fq-7f3a"
POD = RunRecord(
    run=RUN, pipeline="training", reference="train:training", plan="ab" * 32, parameters={},
    stack="prod", stack_origin="test", orchestrator="engine", user="ann", host="pod", process=1,
    started=1_000_000_000.0, code="cd" * 32, commit=None, versions={}, calls=("load", "train"),
    hits={}, machine="another", job="a", elsewhere=True,
)  # fmt: skip
NOW = 2_000_000_000.0


class Then(LocalArtifactStore):
    """A store in which it is always the same time."""

    def clock(self) -> float:
        return NOW


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(Then(path=str(tmp_path)))
    ledger.begin(POD)
    return ledger


@pytest.fixture
def ago(tmp_path: Path) -> Callable[[float], None]:
    """All that is written so far was written so long ago."""

    def passed(seconds: float) -> None:
        for file in tmp_path.rglob("*"):
            if file.is_file():
                os.utime(file, (NOW - seconds,) * 2)

    return passed


def done(call: str) -> StepRun:
    return StepRun(RUN, call, f"train:{call}", Status.COMPLETED, key="ef" * 32)


def failed(call: str, status: Status = Status.FAILED, number: int = 1) -> StepRun:
    failure = Failure("ValueError", "no", "")
    return StepRun(RUN, call, "train:load", status, attempt=number, failure=failure)


def test_before_any_step_has_begun_it_runs_for_an_hour(
    ledger: Ledger, ago: Callable[[float], None]
) -> None:
    ago(PATIENCE - 1)
    assert run_status(ledger, POD) is Status.RUNNING
    ago(PATIENCE + 1)
    assert run_status(ledger, POD) is Status.LOST


def test_every_record_of_a_step_is_a_sign_of_it(
    ledger: Ledger, ago: Callable[[float], None]
) -> None:
    ledger.finish(done("load"), reusable=True)
    ago(PATIENCE + 1)
    assert run_status(ledger, POD) is Status.LOST
    os.utime(f"{ledger.store.path}/runs/{RUN}/steps/load.json", (NOW, NOW))
    assert run_status(ledger, POD) is Status.RUNNING


def test_with_all_its_steps_it_is_complete(ledger: Ledger, ago: Callable[[float], None]) -> None:
    for call in POD.calls:
        ledger.finish(done(call), reusable=False)
    ago(2 * PATIENCE)
    assert run_status(ledger, POD) is Status.COMPLETED


@pytest.mark.parametrize("status", [Status.FAILED, Status.STOPPED])
def test_what_has_failed_counts_when_nothing_beats(
    status: Status, ledger: Ledger, ago: Callable[[float], None]
) -> None:
    ledger.attempt(failed("load", status), "1-a")
    assert run_status(ledger, POD) is status
    ledger.signs(POD).beat({"train": 1.0}, "train")
    ago(MISSED * BEAT - 1)
    assert run_status(ledger, POD) is Status.RUNNING
    assert ledger.signs(POD).running() == {"train": 1.0}
    ago(MISSED * BEAT + 1)
    assert run_status(ledger, POD) is status


def test_a_failure_of_what_was_done_later_is_no_failure(
    ledger: Ledger, ago: Callable[[float], None]
) -> None:
    ledger.attempt(failed("load"), "1-a")
    ledger.finish(done("load"), reusable=True)
    ago(1)
    assert run_status(ledger, POD) is Status.RUNNING


def test_of_several_attempts_the_last_one_counts(ledger: Ledger) -> None:
    ledger.attempt(failed("load"), "1-a")
    ledger.attempt(failed("load", Status.STOPPED, 2), "2-a")
    assert run_status(ledger, POD) is Status.STOPPED


def test_whoever_waits_for_it_here_keeps_it_alive(
    ledger: Ledger, ago: Callable[[float], None]
) -> None:
    me = replace(
        POD, machine=processes.machine(), process=os.getpid(),
        process_started=processes.started(os.getpid()),
    )  # fmt: skip
    ago(2 * PATIENCE)
    assert run_status(ledger, me) is Status.RUNNING
    assert run_status(ledger, replace(me, process_started="1")) is Status.LOST


def test_signs_of_several_pods_are_those_of_the_run(ledger: Ledger) -> None:
    signs = ledger.signs(POD)
    signs.beat({"load": 1.0}, "load")
    signs.beat({"train.3": 2.0}, "train.1-4")
    assert signs.last()[1] == {"load": 1.0, "train.3": 2.0}
    signs.end("load")
    signs.end("load")
    assert signs.running() == {"train.3": 2.0}


def test_a_run_is_deleted_with_what_leads_to_it(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path))
    ledger = Ledger(store)
    run = jobs.run_of(store, "a", "new")
    jobs.begun(ledger, run, "a", replace(POD, run="", job=""))
    other = jobs.run_of(store, "b", "new")
    ledger.signs(replace(POD, run=run)).beat({}, "load")
    ledger.attempt(replace(failed("load"), run=run), "1-a")
    ledger.end(End(run, Status.FAILED, time.time(), {}))
    stack = Stack("here", orchestrator=LocalOrchestrator(), artifact_store=store)
    store.put("environments/abc", [b"{}"])
    deletion.delete_run(ledger, run)
    assert jobs.known_run(store, "a") is None
    assert jobs.known_run(store, "b") == other
    assert not (tmp_path / "runs" / run).exists()
    assert Client(stack).gc().foreign == []
