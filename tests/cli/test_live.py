"""`run watch`, `run cancel` and `run logs -f`: a run in another process, by its store alone."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, Run, Status

SLOW = """\
import sys, time
from pathlib import Path
from penstock import pipeline, step

@step
def first() -> int:
    print("hello from the first")
    return 1

@step(retries=1)
def second(value: int) -> int:
    print("a line", end="", flush=True)
    if not Path("tried").exists():
        Path("tried").touch()
        raise ValueError("once")
    Path("ready").touch()
    while not Path("go").exists():
        time.sleep(0.02)
    print(", and its end")
    return value

@pipeline
def slow() -> int:
    return second(first())

if __name__ == "__main__":
    slow.run()
"""

WATCHING = """\
import signal, sys
from penstock.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a shell
sys.exit(main(["run", "watch"]))
"""

Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(project: Path) -> Iterator[Start]:
    """Starts a run that waits for a file named `go`, and comes back when its last step runs."""
    begun = []

    def start() -> "subprocess.Popen[str]":
        (project / "slow.py").write_text(SLOW)
        process = subprocess.Popen(
            [sys.executable, "slow.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        until((project / "ready").exists)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def until(condition: Callable[[], object]) -> None:
    """Wait for what is bound to happen."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def command(*words: str) -> "subprocess.Popen[str]":
    """A command in another terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "penstock", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def last() -> Run[Any]:
    return Client().run("last")


def test_watching_shows_what_the_runs_own_terminal_shows(start: Start, plain: Any) -> None:
    process = start()
    watching = command("run", "watch")
    assert watching.stdout is not None
    seen = [watching.stdout.readline()]
    while "first" not in seen[-1]:
        seen.append(watching.stdout.readline())
    Path("go").touch()
    _, own = process.communicate(timeout=60)
    rest, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0
    theirs = plain(own).replace(", again in 0.00 s", "").replace("attempt 1 of 2", "attempt 1")
    assert plain("".join(seen) + rest).splitlines() == theirs.splitlines()


def test_watching_what_has_ended_tells_it_from_the_beginning(
    penstock: Any, trained: Any, plain: Any
) -> None:
    said = penstock("run", "watch", trained.id)
    lines = plain(said.out).splitlines()
    assert said.code == 0
    assert lines[0] == "training  run RUN-1 on stack default (the default)"
    assert sorted(line.split()[0] for line in lines[1:-1]) == sorted(trained.record.calls)
    assert lines[-1] == "completed in 0.00 s  ·  penstock run show RUN-1"


def test_watching_a_cached_run_names_the_runs_it_is_from(
    penstock: Any, trained: Any, train: Any
) -> None:
    train.run()
    said = penstock("run", "watch")
    assert said.out.count(f"cached  ({trained.id})") == 5


def test_watching_a_run_that_has_failed_is_exit_code_1(penstock: Any, failed: Any) -> None:
    said = penstock("run", "watch", failed.id)
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[2].endswith("note: broken failed (IndexError: list index out of range), attempt 1")
    assert "failed after" in lines[3]
    assert lines[-1].startswith("failed in ")


def test_watching_as_json_gives_the_run_when_it_has_ended(penstock: Any, trained: Any) -> None:
    said = penstock("run", "watch", trained.id, "--json")
    assert (said.data["run"], said.data["status"], said.data["why"]) == (
        trained.id, "completed", None,
    )  # fmt: skip
    assert "completed in" in said.err


def test_ctrl_c_ends_the_watching_only(start: Start) -> None:
    start()
    watching = subprocess.Popen([sys.executable, "-c", WATCHING], stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert last().status == "running"


def test_watching_ends_when_the_run_is_lost(start: Start) -> None:
    process = start()
    watching = command("run", "watch")
    assert watching.stdout is not None
    watching.stdout.readline()
    process.kill()
    process.wait()
    out, err = watching.communicate(timeout=60)
    assert watching.returncode == 1
    assert out.splitlines()[-1].startswith("lost in ")
    assert f"Process {process.pid} on " in err


def test_logs_can_be_followed(start: Start) -> None:
    process = start()
    following = command("run", "logs", "-f", "last")
    assert following.stdout is not None
    assert following.stdout.readline() == "first | hello from the first\n"
    Path("go").touch()
    process.communicate(timeout=60)
    out, _ = following.communicate(timeout=60)
    assert following.returncode == 0
    assert out.splitlines()[-1].startswith("second | ")
    assert out.endswith("a line, and its end\n")


def test_the_log_of_one_step_can_be_followed(penstock: Any, trained: Any) -> None:
    assert penstock("run", "logs", "-f", trained.id, "load").out == "3 rows…\n"


def test_logs_of_a_lost_run_come_to_an_end(start: Start, penstock: Any) -> None:
    process = start()
    process.kill()
    process.wait()
    said = penstock("run", "logs", "--follow", "last")
    assert "first | hello from the first\n" in said.out
    assert "which ran it, is gone. Run the pipeline again" in said.err


def test_following_an_unknown_step_says_which_there_are(penstock: Any, trained: Any) -> None:
    said = penstock("run", "logs", "-f", trained.id, "laod")
    assert said.code == 4
    assert "Did you mean 'load'?" in said.err


def test_following_as_json_is_a_usage_error(penstock: Any, trained: Any) -> None:
    said = penstock("run", "logs", "-f", trained.id, "--json")
    assert said.code == 2
    assert said.err.startswith("Error: --json is for what is there, and --follow for what comes.")


def test_cancelling_waits_until_the_run_has_stopped(start: Start, penstock: Any) -> None:
    process = start()
    run = last()
    said = penstock("run", "cancel", run.id[-4:])
    assert said.code == 0
    assert said.out == f"Run {run.id} is stopped: {run.reason}.\n"
    assert said.err == (
        f"Waiting until process {process.pid} on {run.record.host} has stopped run {run.id}.\n"
    )
    _, own = process.communicate(timeout=60)
    assert f"RunCancelled: Run {run.id} was cancelled by " in own
    shown = penstock("run", "show", "last")
    assert f"status:   stopped ({run.reason})\n" in shown.out


def test_cancelling_need_not_wait(start: Start, penstock: Any) -> None:
    process = start()
    said = penstock("run", "cancel", "last", "--no-wait", "--json")
    assert (said.code, said.data["run"]) == (0, last().id)
    process.communicate(timeout=60)
    assert last().status is Status.STOPPED


def test_what_does_not_run_cannot_be_cancelled(penstock: Any, trained: Any) -> None:
    said = penstock("run", "cancel", trained.id)
    assert (said.code, said.out) == (1, "")
    assert said.err == f"Error: Run {trained.id} cannot be cancelled: it is completed.\n"


def test_what_is_not_there_cannot_be_cancelled(penstock: Any, trained: Any) -> None:
    assert penstock("run", "cancel", "nope").code == 4


def test_a_run_that_goes_on_is_shown_with_the_step_that_runs(start: Start, penstock: Any) -> None:
    start()
    until(lambda: last()["second"].status is Status.RUNNING)
    said = penstock("run", "show", "last")
    assert "\nsecond  running (attempt 2)  " in said.out
