"""Runs that an engine carries out: submitted, watched, cancelled, sealed, whoever is there."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from penstock import RunFailed, Status
from penstock.cli.main import main
from penstock.errors import EngineError, EngineUnsure, RunError, StillRunning
from penstock.model.records import RunRecord
from penstock.runtime import engines as asking
from penstock.runtime.elsewhere import verdict

sys.path.append(str(Path(__file__).parent))
import engine_job
import engines
from production import Err, Prod, lines, until


def test_it_looks_as_if_the_steps_ran_here(prod: Prod, capsys: Any) -> None:
    prod.project.summing.on("default").run()
    here = capsys.readouterr()
    run = prod.run("summing")
    there = capsys.readouterr()

    assert run.status is Status.COMPLETED
    assert run.result() == 3
    assert there.out == here.out == "loading 3\nsum of [0, 1, 2]\n"
    page = f"http://engine.example/{prod.jobs[0].name}"
    said = lines(
        there.err.replace("on stack prod (given to on())", "on stack default (given to on())")
    )
    assert said[1] == f"  note: submitted to kf: {page}"
    assert [said[0], *said[2:]] == lines(here.err)


def test_it_is_noted_as_which_job_it_was_submitted_and_sealed(prod: Prod) -> None:
    run = prod.run("summing")
    job = prod.jobs[0].name
    noted = {"remote_id": job, "url": f"http://engine.example/{job}"}
    assert prod.records(run.id, "submitted.json") == noted
    sealed = prod.records(run.id, "end.json")
    assert sealed["status"] == "completed"
    assert sorted(sealed["steps"]) == ["load", "total"]


def test_a_run_that_finds_all_asks_no_engine(prod: Prod) -> None:
    prod.run("summing")
    asked = len(prod.asked)
    run = prod.run("summing")
    assert {view.status for view in run} == {Status.CACHED}
    assert prod.is_sealed(run.id)
    assert len(prod.asked) == asked
    assert len(prod.jobs) == 1


def test_without_waiting_it_is_submitted_and_goes_on(prod: Prod) -> None:
    run = prod.run("waiting", wait=False, progress=False)
    assert run.status is Status.RUNNING
    until((prod.folder / "waits").exists)
    with pytest.raises(StillRunning, match=r"has not ended within 0\.1 s"):
        run.wait(timeout=0.1)
    (prod.folder / "go").touch()
    assert run.wait().result() == 3
    assert prod.is_sealed(run.id)


def test_a_step_that_fails_is_told_and_raised_as_here(prod: Prod, err: Err) -> None:
    with pytest.raises(
        RunFailed, match=r"Step load of 'summing' failed: ValueError: no -1"
    ) as info:
        prod.run("summing", -1)
    assert info.value.exit_code == 1
    assert info.value.run.status is Status.FAILED
    assert prod.is_sealed(info.value.run.id)
    said = lines(err())
    assert "  load   failed after TIME  ValueError: no -1" in said
    assert not [line for line in said if "kf says" in line]


def test_a_run_in_the_background_does_not_seem_to_run_for_ever(prod: Prod) -> None:
    run = prod.run("summing", -1, wait=False, progress=False)
    until(lambda: run.status is Status.FAILED)  # by its records: nobody watches it
    with pytest.raises(RunFailed, match="no -1"):
        run.wait()


def test_what_is_refused_is_stopped_before_it_began(prod: Prod) -> None:
    prod.fail("submit", "kf does not take it.\nOr rather: no.")
    with pytest.raises(EngineError, match="kf does not take it"):
        prod.run("summing")
    run = prod.last()
    assert (run.status, run.reason) == (Status.STOPPED, "kf does not take it.")
    assert not prod.jobs


def test_what_may_have_been_taken_is_left_open(prod: Prod) -> None:
    prod.fail("submitted", "unsure")
    with pytest.raises(EngineUnsure, match="penstock run watch") as info:
        prod.run("summing", progress=False)
    assert info.value.exit_code == 5
    run = prod.last()
    assert not prod.is_sealed(run.id)
    assert run.wait().result() == 3
    assert prod.records(run.id, "submitted.json")["url"]


def test_a_process_that_dies_without_a_word_is_lost_for_the_engines_reason(
    prod: Prod, err: Err
) -> None:
    run = prod.run("waiting", wait=False)
    until((prod.folder / "waits").exists)
    os.kill(int((prod.jobs[0] / "pod-wait").read_text()), signal.SIGKILL)
    with pytest.raises(RunFailed, match=r"was lost \(kf says FAILED: wait: OOMKilled") as info:
        run.wait()
    assert info.value.exit_code == 1
    assert run.status is Status.LOST
    assert run.reason == "kf says FAILED: wait: OOMKilled (exit code 137)"

    assert main(["run", "watch", run.id, "--stack", "prod"]) == 1
    assert "kf says FAILED: wait: OOMKilled (exit code 137). Go on with what" in err()


def test_why_a_step_does_not_begin_is_told_once(prod: Prod, err: Err) -> None:
    prod.project.waiting.on("prod").with_options(wait=False).run()
    run = prod.last()
    until((prod.folder / "waits").exists)
    prod.say("RUNNING", "wait: ImagePullBackOff: no such image")
    process = prod.started("run", "watch")
    until(lambda: len(prod.asked) > 3)
    (prod.folder / "go").touch()
    out, _ = process.communicate(timeout=60)
    assert out.count("note: kf says of step wait: ImagePullBackOff: no such image\n") == 1
    assert run.status is Status.COMPLETED


def test_a_job_that_somebody_has_deleted(prod: Prod, err: Err) -> None:
    run = prod.run("waiting", wait=False)
    until((prod.folder / "waits").exists)
    engines.end_all(prod.folder / "engine")
    (prod.jobs[0] / "state").unlink()
    with pytest.raises(
        RunFailed, match="kf has no such job any more: somebody has deleted"
    ) as info:
        run.wait()
    assert info.value.exit_code == 5
    assert run.status is Status.LOST


def test_a_job_that_another_engine_has_is_not_taken_for_deleted(
    prod: Prod, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prod.run("waiting", wait=False, progress=False)
    until((prod.folder / "waits").exists)
    state = prod.jobs[0] / "state"
    state.rename(state.with_name("hidden"))
    until(lambda: list((prod.folder / "store/runs" / run.id / "beats").glob("*")))
    monkeypatch.setattr(verdict, "MISSED", 6)  # the pod gives signs of life
    with pytest.raises(StillRunning):
        run.wait(timeout=1.5)
    assert not prod.is_sealed(run.id)


def test_it_is_said_aloud_if_the_engine_has_another_opinion(prod: Prod, capsys: Any) -> None:
    """Both ways: all results and FAILED, no result and SUCCEEDED."""
    for word, code, opinion in (
        ("FAILED", 0, "kf says FAILED, the records say completed"),
        ("SUCCEEDED", 1, "kf says SUCCEEDED, the records say lost"),
    ):
        for name in ("waits", "go"):
            (prod.folder / name).unlink(missing_ok=True)
        run = prod.run("waiting", wait=False, cache=False)
        [job] = [each for each in prod.jobs if (each / "run").read_text() == run.id]
        until((prod.folder / "waits").exists)
        os.kill(int((job / "process").read_text()), signal.SIGSTOP)
        if word == "FAILED":
            (prod.folder / "go").touch()
            until((prod.folder / f"store/runs/{run.id}/steps/wait.json").exists)
        else:
            os.kill(int((job / "pod-wait").read_text()), signal.SIGKILL)
        engine_job.state(job, word)
        capsys.readouterr()
        assert main(["run", "watch", run.id, "--stack", "prod"]) == code
        assert f"  note: {opinion}\n" in capsys.readouterr().out
        if word == "SUCCEEDED":
            assert run.reason == "kf says SUCCEEDED: but there are steps without a result"


def test_an_engine_that_does_not_answer_is_said_once(prod: Prod, capsys: Any) -> None:
    run = prod.run("waiting", wait=False)
    until((prod.folder / "waits").exists)
    prod.fail("seen", "kf does not answer.")
    process = prod.started("run", "watch")
    until(lambda: len(prod.asked) > 1)
    (prod.folder / "go").touch()
    out, _ = process.communicate(timeout=60)
    assert out.count("kf does not answer. The run is watched by its records meanwhile.") == 1
    assert process.returncode == 0
    assert run.status is Status.COMPLETED


def test_cancel_ends_it_there_and_seals_it(prod: Prod, capsys: Any) -> None:
    run = prod.run("waiting", wait=False)
    until((prod.folder / "waits").exists)
    capsys.readouterr()
    assert main(["run", "cancel", run.id, "--stack", "prod"]) == 0
    printed = capsys.readouterr()
    assert printed.err == f"Waiting until kf has stopped run {run.id}.\n"
    assert f"Run {run.id} is stopped: cancelled by " in printed.out
    assert prod.records(run.id, "end.json")["status"] == "stopped"
    assert (prod.jobs[0] / "state").read_text() == "CANCELED"


def test_a_run_that_waits_for_hours_can_be_cancelled(prod: Prod) -> None:
    run = prod.run("waiting", wait=False)
    until((prod.folder / "waits").exists)
    prod.say("RUNNING")
    for file in (prod.folder / "store/runs" / run.id).rglob("*"):
        os.utime(file, (1e9, 1e9))
    run.cancel()
    with pytest.raises(RunFailed, match=r"was stopped \(cancelled by"):
        run.wait()
    with pytest.raises(RunError, match="cannot be cancelled: it is stopped"):
        run.cancel()


def test_it_is_cancelled_although_the_engine_does_not_hear_of_it(prod: Prod) -> None:
    run = prod.run("waiting", wait=False)
    until((prod.folder / "waits").exists)
    prod.fail("cancel", "kf does not answer.")
    with pytest.raises(EngineError, match="kf does not answer"):
        run.cancel()
    with pytest.raises(RunFailed, match=r"was stopped \(cancelled by"):
        run.wait()  # the pod has seen the mark


@pytest.mark.parametrize(
    ("where", "status"), [("submit", Status.STOPPED), ("submitted", Status.COMPLETED)]
)
def test_whoever_submits_is_killed(prod: Prod, where: str, status: Status) -> None:
    prod.fail(where, "kill")
    process = prod.started("project.py", "summing")
    assert process.wait(timeout=60) == -signal.SIGKILL
    process.communicate()
    prod.fail(where)
    run = prod.last()
    code = main(["run", "watch", "last", "--stack", "prod"])
    assert run.status is status
    assert code == (0 if status is Status.COMPLETED else 1)
    assert prod.is_sealed(run.id)
    if status is Status.STOPPED:
        assert run.reason == "never submitted"
        assert (prod.folder / "store/runs" / run.id / "cancel").exists()
    else:
        assert len(prod.jobs) == 1
        assert prod.records(run.id, "submitted.json")["remote_id"] == prod.jobs[0].name


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_watching_and_not_the_run(prod: Prod, number: int, code: int) -> None:
    process = prod.started("project.py", "waiting")
    until((prod.folder / "waits").exists)
    run = prod.last()
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (code, -number)
    line = (
        f"run {run.id} goes on at kf: penstock run watch {run.id}; to stop it: penstock run cancel"
    )
    assert said.count(line) == 1
    (prod.folder / "go").touch()
    assert run.wait().result() == 3


def test_ctrl_c_ends_run_watch_as_well(prod: Prod) -> None:
    run = prod.run("waiting", wait=False, progress=False)
    process = prod.started("run", "watch")
    assert process.stdout is not None
    until(lambda: "load" in process.stdout.readline())  # type: ignore[union-attr]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith(f"run {run.id} goes on at kf: ")
    (prod.folder / "go").touch()
    assert run.wait().result() == 3


def test_ctrl_c_while_it_is_handed_over(prod: Prod) -> None:
    prod.fail("submitted", "interrupt")
    process = prod.started("project.py", "summing")
    _, said = process.communicate(timeout=60)
    prod.fail("submitted")
    run = prod.last()
    assert f"it is not known whether kf has taken run {run.id}: penstock run watch" in said
    assert "goes on" not in said
    assert run.wait().result() == 3


def test_a_run_that_was_lost_is_resumed(prod: Prod) -> None:
    run = prod.run("waiting", wait=False, progress=False)
    until((prod.folder / "waits").exists)
    os.kill(int((prod.jobs[0] / "pod-wait").read_text()), signal.SIGKILL)
    with pytest.raises(RunFailed):
        run.wait()
    (prod.folder / "go").touch()
    again = prod.run("waiting", resume=run, progress=False)
    assert again.result() == 3
    assert again.record.resumed == run.id
    assert again["load"].status is Status.CACHED


@pytest.mark.parametrize(("count", "words"), [(3, "success completed"), (-1, "failure failed")])
def test_hooks_are_told_there(prod: Prod, count: int, words: str) -> None:
    try:
        run = prod.run("hooked", count, progress=False)
    except RunFailed as error:
        run = error.run
    assert (prod.folder / "told").read_text().splitlines() == ["start running", words]
    assert prod.is_sealed(run.id)


def test_who_cannot_ask_an_engine_watches_the_records(prod: Prod, capsys: Any) -> None:
    run = prod.run("waiting", wait=False, progress=False)
    until((prod.folder / "waits").exists)
    (prod.folder / "penstock.yaml").write_text(
        f"artifact_stores: {{there: {{flavor: local, path: {prod.folder}/store}}}}\n"
        "stacks: {other: {orchestrator: default, artifact_store: there}}\n"
    )
    process = prod.started("run", "watch", "--stack", "other", PROD="no")
    assert process.stdout is not None
    line = "no stack here has the orchestrator 'engine' that could be asked"
    until(lambda: line in process.stdout.readline())  # type: ignore[union-attr]
    (prod.folder / "go").touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert not prod.is_sealed(run.id)


RECORD = RunRecord(
    run="20261122-005412-k3fq-7f3a", pipeline="summing", reference="summing:summing",
    plan="ab" * 32, parameters={}, stack="prod", stack_origin="test", orchestrator="engine",
    user="ann", host="", process=0, started=0.0, code="", commit=None, versions={},
    calls=("load",), hits={},
)  # fmt: skip


def test_the_engine_is_asked_more_and_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "engine").mkdir()
    monkeypatch.setattr(asking, "FIRST", 0.1)
    kf = engines.Engine(name="kf", folder=str(tmp_path / "engine"))
    engine = asking.Engine(kf, RECORD, print)
    begun = time.monotonic()
    while time.monotonic() - begun < 1.2:
        engine.look("x")
        time.sleep(0.02)
    assert engine.asked == 3  # at once, after 0.2 seconds, and after 0.4; it would be after 0.8
    assert engine.missed == 3
