"""What is believed of an engine and of the store, and what is written down of that."""

import json
import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from penstock import Run, RunFailed, Status
from penstock.cli.main import main
from penstock.errors import BadConfiguration, StillRunning
from penstock.runtime import engines as asking
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import End
from penstock.stack.engine import Seen

sys.path.append(str(Path(__file__).parent))
import engine_job
import engines
from production import Err, Prod, until

OOM = "kf says FAILED: wait: OOMKilled (exit code 137)"
SILENT = "step wait has left no record: its process was ended, or has never begun"
RUN = "20261122-005412-k3fq-7f3a"


def dies(prod: Prod) -> None:
    """The process of its step is ended without a word."""
    until((prod.folder / "waits").exists)
    os.kill(int((prod.jobs[0] / "pod-wait").read_text()), signal.SIGKILL)


def lost(prod: Prod) -> Run[Any]:
    """A run that is sealed by its last process, which cannot know why."""
    run = prod.run("told_of", wait=False, progress=False)
    dies(prod)
    until(lambda: (prod.jobs[0] / "state").read_text().startswith("FAILED"))
    return run


def test_the_reason_is_added_to_the_seal_of_a_process_that_could_not_ask(
    prod: Prod, err: Err
) -> None:
    run = lost(prod)
    assert (run.status, run.reason) == (Status.LOST, SILENT)
    sealed = prod.records(run.id, "end.json")
    assert (prod.folder / "told").read_text() == "failure lost\n"

    with pytest.raises(RunFailed, match=r"was lost \(kf says FAILED: wait: OOMKilled"):
        run.wait()
    assert (run.status, run.reason) == (Status.LOST, OOM)
    assert prod.records(run.id, "end.json") == {**sealed, "why": OOM}
    asked = len(prod.asked)
    assert main(["run", "watch", run.id, "--stack", "prod"]) == 1
    assert f"{OOM}. Go on with what" in err()
    assert len(prod.asked) == asked  # all is said


def test_whoever_watches_as_it_is_sealed_adds_it_at_once(prod: Prod) -> None:
    process = prod.started("project.py", "told_of")
    dies(prod)
    _, said = process.communicate(timeout=60)
    assert said.count("note: kf says of step wait: OOMKilled (exit code 137)\n") == 1
    assert f"was lost ({OOM})" in said
    assert prod.last().reason == OOM


def test_a_reason_that_nobody_knows_is_not_waited_for(prod: Prod, err: Err, capsys: Any) -> None:
    run = lost(prod)
    asked = ["run", "watch", run.id, "--stack", "prod"]
    prod.fail("seen", "kf does not answer.")
    assert main(asked) == 1
    prod.fail("seen")
    prod.say("FAILED")  # and nothing else
    assert main(asked) == 1
    (prod.jobs[0] / "state").unlink()  # somebody has deleted it
    assert main(asked) == 1
    assert err().count(f"{SILENT}. Go on with what") == 3
    assert prod.records(run.id, "end.json")["why"] == SILENT


def test_of_two_who_know_why_the_first_has_written_it(tmp_path: Path) -> None:
    """Both have read the seal before."""
    ledger = Ledger(engines.Shared(path=str(tmp_path)))
    sealed = End(RUN, Status.LOST, 1.0, {}, "nobody knows")
    first, second = replace(sealed, why="first"), replace(sealed, why="second")
    ledger.end(sealed)
    ledger.explain(first, sealed)
    ledger.explain(second, sealed)
    assert ledger.sealed(RUN) == first


def forged(prod: Prod) -> tuple[Run[Any], Run[Any], str]:
    """A run, another one, and the job of that, which somebody has made to be the first one's."""
    run = prod.run("waiting", 3, wait=False, progress=False)
    other = prod.run("waiting", 4, wait=False, progress=False)
    said = prod.records(other.id, "submitted.json")
    until((prod.folder / f"store/runs/{run.id}/steps/load.json").exists)
    (prod.folder / f"store/runs/{run.id}/submitted.json").write_text(json.dumps(said))
    return run, other, said["remote_id"]


def test_a_job_of_another_run_is_not_cancelled(
    prod: Prod, caplog: pytest.LogCaptureFixture
) -> None:
    run, other, job = forged(prod)
    run.cancel()
    line = f"kf's job {job} is not this run's: it was submitted for run {other.id}"
    assert caplog.messages == [line]
    with pytest.raises(RunFailed, match="cancelled by"):
        run.wait()
    (prod.folder / "go").touch()
    assert other.wait().result() == 4
    [own] = [each for each in prod.jobs if each.name != job]
    assert (own / "state").read_text() == "CANCELED"


def test_a_job_that_is_nobodys_is_not_taken_for_a_deleted_one(
    prod: Prod, caplog: pytest.LogCaptureFixture
) -> None:
    run = prod.run("waiting", wait=False, progress=False)
    until((prod.folder / "waits").exists)
    noted = prod.folder / f"store/runs/{run.id}/submitted.json"
    noted.write_text('{"remote_id": "nobodys", "url": null}')
    with pytest.raises(StillRunning):
        run.wait(timeout=2)
    run.cancel()
    assert caplog.messages == ["kf has no job 'nobodys', which this run is said to be"]
    with pytest.raises(RunFailed, match="cancelled by"):
        run.wait()
    assert (prod.jobs[0] / "state").read_text() == "CANCELED"


@dataclass(frozen=True, kw_only=True)
class Credulous(engines.Engine):
    """The planted one: says of each job that it is what somebody takes it for."""

    def seen(self, run: str, remote_id: str | None = None) -> Seen | None:
        found = super().seen(run, remote_id)
        return replace(found, run=run) if found else None


def test_an_engine_that_believes_what_it_is_told_would_end_it(prod: Prod) -> None:
    run, _, job = forged(prod)
    run.asks(lambda _: Credulous(name="kf", folder=f"{prod.folder}/engine"))
    run.cancel()
    until(lambda: (prod.folder / "engine" / job / "state").read_text() == "CANCELED")


def test_what_became_of_a_job_of_another_run_is_not_believed(prod: Prod) -> None:
    run, other, job = forged(prod)
    engine_job.state(prod.folder / "engine" / job, "FAILED", "wait: OOMKilled")
    process = prod.started("run", "watch", run.id)
    until(lambda: len(prod.asked) > 2)
    [own] = [each for each in prod.jobs if each.name != job]
    os.kill(int((own / "pod-wait").read_text()), signal.SIGKILL)
    out, said = process.communicate(timeout=60)
    assert out.count(f"note: kf's job {job} is not this run's: it was submitted for run ") == 1
    assert "OOMKilled\n" not in out
    assert f"{OOM}. Go on with" in said
    assert not prod.is_sealed(other.id)


def test_a_run_that_says_itself_that_it_is_a_job_is_believed(prod: Prod) -> None:
    """Somebody has cloned that: it was submitted for another run, or for none."""
    run = prod.run("waiting", wait=False, progress=False)
    job, kf = prod.jobs[0].name, engines.Engine(name="kf", folder=f"{prod.folder}/engine")
    clone = replace(run.record, run=RUN)
    assert asking.job(kf, clone, job) is None
    assert asking.job(kf, replace(clone, job=job), job) is not None


def test_what_cannot_be_submitted_is_refused_before_anything_is_recorded(prod: Prod) -> None:
    prod.run("summing", progress=False)
    before = {*(prod.folder / "store").rglob("*")}
    prod.fail("ready", "kf has no host.")
    with pytest.raises(BadConfiguration, match="kf has no host"):
        prod.run("summing", 4, progress=False)
    assert {*(prod.folder / "store").rglob("*")} == before
    assert prod.run("summing", progress=False).result() == 3  # all of it is there
