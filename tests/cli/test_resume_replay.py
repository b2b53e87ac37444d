"""`--resume`, `--from`, `--to` and `--only`; `penstock run resume` and `run replay`."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from penstock import Client, pipeline, step

PROJECT = """\
import os
import sys
from pathlib import Path

from penstock import pipeline, step


@step
def load(count: int) -> list[int]:
    print("loading", count)
    return list(range(count))


@step(cache=False)
def draw(rows: list[int]) -> bytes:
    print("drawing")
    return os.urandom(8)


@step
def train(rows: list[int], seed: bytes, lr: float) -> float:
    print("training")
    if Path("broken").exists():
        raise ValueError("not yet")
    return lr * sum(rows)


@pipeline
def night(count: int, lr: float = 0.5) -> float:
    rows = load(count)
    return train(rows, draw(rows), lr)


if __name__ == "__main__":
    night.cli()
"""

Typed = Callable[..., "subprocess.CompletedProcess[str]"]
Ran = Callable[..., None]


@pytest.fixture(autouse=True)
def project_file() -> Iterator[None]:
    Path("jobs.py").write_text(PROJECT)
    path = sys.path[:]
    yield
    sys.path[:] = path
    sys.modules.pop("jobs", None)


@pytest.fixture
def typed() -> Typed:
    def run(*words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture
def ran(penstock: Any) -> Callable[..., None]:
    """Runs the pipeline as a program of its own would, with these flags."""

    def run(*flags: str) -> None:
        penstock("pipeline", "run", "jobs.py", *flags)
        del sys.modules["jobs"]

    return run


@pytest.fixture
def failed(ran: Ran) -> Any:
    """A run whose step `train` has failed."""
    Path("broken").touch()
    ran("--count", "4", "--lr", "2")
    Path("broken").unlink()
    return Client().runs()[0]


def statuses() -> dict[str, str]:
    return {view.id: str(view.status) for view in Client().runs()[0]}


RESUMED = {"load": "cached", "draw": "cached", "train": "completed"}


@pytest.mark.usefixtures("failed")
def test_cli_resumes_with_the_parameters_of_that_run(typed: Typed) -> None:
    typed("jobs.py", "--resume", "last")
    run = Client().runs()[0]
    assert (statuses(), run.record.parameters) == (RESUMED, {"count": "4", "lr": "2.0"})


@pytest.mark.usefixtures("failed")
def test_a_flag_wins_over_the_resumed_run(typed: Typed) -> None:
    typed("jobs.py", "--resume", "last", "--lr", "3")
    assert Client().runs()[0].record.parameters == {"count": "4", "lr": "3.0"}


def test_pipeline_run_resumes(penstock: Any, failed: Any) -> None:
    assert penstock("pipeline", "run", "jobs.py", "--resume", failed.id[-4:]).code == 0
    assert statuses() == RESUMED


def test_run_resume_finds_the_pipeline(penstock: Any, failed: Any) -> None:
    said = penstock("run", "resume", "last")
    assert (said.code, statuses()) == (0, RESUMED)
    assert f"note: goes on with run {failed.id} (failed)" in said.err


@pytest.mark.usefixtures("failed")
def test_run_resume_takes_the_flags_of_the_pipeline(penstock: Any) -> None:
    said = penstock("run", "resume", "last", "--lr", "3", "--json")
    assert (said.code, '"train": "completed"' in said.out) == (0, True)
    assert Client().runs()[0].record.parameters["lr"] == "3.0"


def test_run_resume_runs_on_the_stack_of_that_run(penstock: Any, ran: Ran) -> None:
    Path("penstock.yaml").write_text(
        "stacks: {other: {orchestrator: default, artifact_store: default}}"
    )
    ran("--count", "2", "--stack", "other")
    penstock("run", "resume", "last")
    assert [run.stack for run in Client().runs()] == ["other", "other"]


def test_run_resume_runs_on_the_stack_that_is_asked_for(penstock: Any, ran: Ran) -> None:
    Path("penstock.yaml").write_text(
        "stacks: {other: {orchestrator: default, artifact_store: default}}"
    )
    ran("--count", "2")
    penstock("run", "resume", "last", "--stack", "other")
    assert Client().runs()[0].record.stack_origin == "--stack"


def test_run_resume_of_a_stack_that_is_gone_says_how_to_choose_one(penstock: Any, ran: Ran) -> None:
    Path("penstock.yaml").write_text(
        "stacks: {other: {orchestrator: default, artifact_store: default}}"
    )
    ran("--count", "2", "--stack", "other")
    Path("penstock.yaml").write_text("")
    said = penstock("run", "resume", "last")
    assert (said.code, "--stack names another" in said.err) == (3, True)


def test_run_resume_outside_of_the_project_says_what_to_type(penstock: Any, failed: Any) -> None:
    Path("jobs.py").unlink()
    said = penstock("run", "resume", "last")
    assert said.code == 4
    assert said.err == (
        f"Error: Run {failed.id} is of jobs:night, and there is no module 'jobs' here.\n"
        f"Type: penstock pipeline run FILE:NAME --resume {failed.id}\n"
    )


@pytest.mark.usefixtures("failed")
def test_run_resume_of_a_pipeline_that_was_renamed_says_so(penstock: Any) -> None:
    Path("jobs.py").write_text(PROJECT.replace("night", "day"))
    said = penstock("run", "resume", "last")
    assert (said.code, "is of jobs:night, which is not there any more" in said.err) == (4, True)


@pytest.mark.parametrize("verb", [("resume", "last"), ("replay", "last", "load")])
def test_a_pipeline_that_no_command_can_find_is_one_message(
    penstock: Any, verb: tuple[str, ...]
) -> None:
    @step
    def load() -> int:
        return 1

    @pipeline(progress=False)
    def inside() -> int:
        return load()

    run = inside.run()
    said = penstock("run", *verb)
    assert said.code == 4
    assert said.err.startswith(f"Error: Run {run.id} is of {inside.reference}, which no command ca")


def test_an_unknown_run_is_not_found(penstock: Any, failed: Any) -> None:
    assert penstock("run", "resume", "0000").code == 4
    assert len(Client().runs()) == 1


def test_run_show_says_what_was_resumed(penstock: Any, failed: Any) -> None:
    penstock("run", "resume", "last")
    said = penstock("run", "show", "last")
    assert f"resumed:  {failed.id}\n" in said.out
    assert penstock("run", "show", "last", "--json").data["resumed"] == failed.id


# Parts.


@pytest.mark.parametrize(
    ("flags", "steps"),
    [
        (["--to", "draw"], ["load", "draw"]),
        (["--from", "train"], ["train"]),
        (["--from", "draw", "--to", "draw"], ["draw"]),
        (["--only", "load"], ["load"]),
    ],
)
@pytest.mark.usefixtures("failed")
def test_a_part_is_asked_for_with_flags(penstock: Any, flags: list[str], steps: list[str]) -> None:
    assert penstock("pipeline", "run", "jobs.py", "--count", "4", *flags).code == 0
    assert list(statuses()) == steps


@pytest.mark.usefixtures("failed")
def test_run_show_says_which_part_it_is(penstock: Any) -> None:
    penstock("pipeline", "run", "jobs.py", "--count", "4", "--to", "draw")
    assert "part:     to draw\n" in penstock("run", "show", "last").out
    assert penstock("run", "show", "last", "--json").data["part"] == "to draw"


def test_an_unknown_step_is_one_message(penstock: Any) -> None:
    said = penstock("pipeline", "run", "jobs.py", "--count", "4", "--only", "trian")
    assert said.code == 4
    assert said.err == (
        "Error: Pipeline 'night' has no step 'trian'. Its steps: 'load', 'draw', 'train'.\n"
        "Did you mean 'train'?\n"
    )


# Replay.


def test_replay_prints_what_the_step_prints_and_compares(penstock: Any, ran: Ran) -> None:
    ran("--count", "4")
    run = Client().runs()[0].id
    said = penstock("run", "replay", "last", "load")
    assert (said.code, said.out, said.err) == (
        0,
        "loading 4\n",
        f"Output 'output' is equal to what run {run} has.\n",
    )


def test_replay_says_what_is_not_the_same(penstock: Any, ran: Ran) -> None:
    ran("--count", "4")
    run = Client().runs()[0].id
    assert penstock("run", "replay", "last", "draw").err == (
        f"Output 'output' is not what run {run} has.\n"
    )


def test_a_step_is_replayed_also_if_its_pipeline_was_renamed(penstock: Any, ran: Ran) -> None:
    ran("--count", "4")
    Path("jobs.py").write_text(PROJECT.replace("night", "day"))
    assert penstock("run", "replay", "last", "load").code == 0


def test_replay_says_what_has_changed(penstock: Any, ran: Ran) -> None:
    ran("--count", "4")
    Path("jobs.py").write_text(PROJECT.replace("range(count)", "range(count + 1)"))
    run = Client().runs()[0].id
    assert penstock("run", "replay", "last", "load").err == (
        f"Step load is not what it was in run {run}: its code.\n"
        f"Output 'output' is not what run {run} has.\n"
    )


def test_replay_of_a_failed_step_says_that_there_is_nothing_to_compare(
    penstock: Any, failed: Any
) -> None:
    said = penstock("run", "replay", "last", "train")
    assert (said.code, said.err) == (
        0,
        f"Run {failed.id} has no result of step train to compare with: it is failed.\n",
    )


@pytest.mark.usefixtures("failed")
def test_replay_of_a_step_that_fails_now_does_not_say_again(penstock: Any) -> None:
    penstock("pipeline", "run", "jobs.py:night", "--count", "3")
    Path("broken").touch()
    said = penstock("run", "replay", "last", "train")
    assert said.err.endswith("Error: Step train failed: ValueError: not yet\n")


@pytest.mark.usefixtures("failed")
def test_replay_of_a_step_that_fails_again_shows_its_frames(penstock: Any) -> None:
    Path("broken").touch()
    said = penstock("run", "replay", "last", "train")
    assert (said.code, said.out) == (1, "training\n")
    assert 'jobs.py", line 24, in train' in said.err
    assert "penstock/runtime" not in said.err
    assert said.err.endswith("Error: Step train failed again: ValueError: not yet\n")


def test_replay_as_json_keeps_stdout_for_it(penstock: Any, ran: Ran) -> None:
    ran("--count", "4")
    run = Client().runs()[0].id
    said = penstock("run", "replay", "last", "load", "--json")
    assert (said.data, said.err) == (
        {"run": run, "step": "load", "outputs": {"output": True}, "changed": None},
        "loading 4\n",
    )


@pytest.mark.usefixtures("failed")
def test_replay_for_the_debugger_needs_a_terminal(penstock: Any) -> None:
    said = penstock("run", "replay", "last", "train", "--pdb")
    assert (said.code, "--pdb needs a terminal to type at" in said.err) == (2, True)


@pytest.mark.usefixtures("failed")
def test_replay_opens_the_debugger_where_the_step_fails() -> None:
    Path("broken").touch()
    words = ["-m", "penstock", "run", "replay", "last", "train", "--pdb"]
    child = pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=60)
    child.expect(r"\(Pdb\) ")
    child.sendline("p lr * 10")
    child.expect("20.0")
    child.sendline("q")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 1


@pytest.mark.usefixtures("failed")
def test_replay_outside_of_the_project_says_what_to_type(penstock: Any) -> None:
    Path("jobs.py").unlink()
    said = penstock("run", "replay", "last", "load")
    assert (said.code, "cd to its folder, and type: penstock run replay" in said.err) == (4, True)
