"""`wait=False`: a run goes on in this process, and the interpreter's exit waits for it."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, Run, RunFailed, Status, pipeline, step
from penstock.errors import NotFound, StillRunning

go: dict[str, threading.Event] = {}


@pytest.fixture(autouse=True)
def gate() -> Iterator[threading.Event]:
    """Steps wait for it, and none is left waiting."""
    go["now"], go["begun"] = threading.Event(), threading.Event()
    yield go["now"]
    go["now"].set()


@step(cache=False)
def waits(value: int) -> int:
    go["begun"].set()
    assert go["now"].wait(120)
    print("waited", value)
    if value < 0:
        raise ValueError("negative")
    return value


@pipeline(progress=False, wait=False)
def waiting(value: int) -> int:
    return waits(value)


def test_the_run_comes_back_at_once_and_has_its_result_later(gate: threading.Event) -> None:
    run = waiting.run(3)
    assert run.status is Status.RUNNING
    gate.set()
    assert run.wait() is run
    assert (run.status, run.result()) == (Status.COMPLETED, 3)
    assert run["waits"].logs() == "waited 3\n"


def test_there_is_no_result_while_it_runs() -> None:
    with pytest.raises(NotFound, match=r"is running and has no result yet") as told:
        waiting.run(3).result()
    assert told.value.hint == "Wait for it: run.wait().result()"


def test_what_is_asked_of_a_run_is_as_things_are_now(gate: threading.Event) -> None:
    run = waiting.run(3)
    assert not run.steps["waits"].outputs
    gate.set()
    run.wait()
    assert run.steps["waits"].status is Status.COMPLETED
    assert run.steps is run.steps


def test_waiting_may_take_too_long_and_the_run_goes_on(gate: threading.Event) -> None:
    run = waiting.run(3)
    with pytest.raises(StillRunning, match=rf"Run {run.id} of 'waiting' has not ended within 0 s"):
        run.wait(timeout=0)
    gate.set()
    assert run.wait(timeout=120).result() == 3


def test_whoever_waits_gets_what_run_would_have_raised(gate: threading.Event) -> None:
    gate.set()
    run = waiting.run(-1)
    for _ in range(2):
        with pytest.raises(RunFailed, match="Step waits of 'waiting' failed") as told:
            run.wait()
        assert told.value.run is run
        assert isinstance(told.value.__cause__, ValueError)


def test_what_is_wrong_before_the_start_is_raised_at_once() -> None:
    with pytest.raises(TypeError):
        waiting.run("three")  # type: ignore[arg-type]
    assert not list(Client().runs())


def test_several_run_at_once(gate: threading.Event) -> None:
    runs = [waiting.run(value) for value in range(3)]
    assert {run.status for run in runs} == {Status.RUNNING}
    gate.set()
    assert [run.wait().result() for run in runs] == [0, 1, 2]
    assert [run["waits"].logs() for run in runs] == [f"waited {value}\n" for value in range(3)]


def test_another_reader_of_the_store_waits_too(gate: threading.Event) -> None:
    run = waiting.run(3)
    found: Run[Any] = Client().run(run.id)
    with pytest.raises(StillRunning):
        found.wait(timeout=0.01)
    gate.set()
    assert found.wait(timeout=120).result() == 3


def test_another_reader_is_told_of_a_failure_too(gate: threading.Event) -> None:
    gate.set()
    run = waiting.run(-1)
    with pytest.raises(RunFailed):
        run.wait()
    with pytest.raises(RunFailed, match="Step waits of 'waiting' failed: ValueError: negative"):
        Client().run(run.id).wait()


def test_waiting_for_a_run_that_is_over_takes_no_time() -> None:
    go["now"].set()
    run = waiting.with_options(wait=True).run(4)
    assert run.wait(timeout=0) is run


def test_what_is_printed_meanwhile_is_not_the_steps(gate: threading.Event) -> None:
    run = waiting.run(3)
    assert go["begun"].wait(120)
    print("something else")
    gate.set()
    run.wait()
    assert run["waits"].logs() == "waited 3\n"
    assert run.logs() == ""


def child() -> None:
    """Ends, though the thread of the parent's run is not there."""


def test_a_forked_child_waits_for_no_run_of_its_parent(gate: threading.Event) -> None:
    run = waiting.run(3)
    forked = multiprocessing.get_context("fork").Process(target=child)
    forked.start()
    forked.join(120)
    assert forked.exitcode == 0
    gate.set()
    run.wait()


# The exit of the interpreter.

PROGRAM = """
import sys, time
from penstock import Client, pipeline, step

@step(cache=False)
def sleeps(seconds: float, fail: bool) -> float:
    print("sleeps", flush=True)
    time.sleep(seconds)
    if fail:
        raise ValueError("no luck")
    import asyncio
    return asyncio.run(asyncio.to_thread(float, seconds))

@pipeline(wait=False)
def sleeping(seconds: float, fail: bool = False) -> float:
    return sleeps(seconds, fail)

if __name__ == "__main__":
    run = sleeping.run(float(sys.argv[1]), fail="fail" in sys.argv)
    print("run", run.id, flush=True)
    if "heard" in sys.argv:
        try:
            run.wait()
        except Exception:
            print("heard")
    if "die" in sys.argv:
        raise SystemExit(3)
"""


@pytest.fixture
def program(tmp_path: Path, python: Any) -> Any:
    (tmp_path / "program.py").write_text(PROGRAM)
    return lambda *words: python("program.py", *words, check=False)


def test_the_exit_waits_for_it_and_says_so(program: Any) -> None:
    done = program("0.4")
    run = Client().run("last")
    assert run.status is Status.COMPLETED
    said = f"waiting for run {run.id} (Ctrl-C stops it)"
    assert [line for line in done.stderr.splitlines() if "waiting" in line] == [said]
    assert done.stderr.splitlines()[-1].startswith("completed in")


def test_the_exit_code_stays_what_it_is(program: Any) -> None:
    assert program("0.1", "die").returncode == 3
    assert Client().run("last").status is Status.COMPLETED


def test_an_error_that_nobody_waited_for_is_told_once(program: Any) -> None:
    done = program("0.1", "fail")
    assert done.stderr.count('raise ValueError("no luck")') == 1
    assert done.stderr.count("Error: Step sleeps of 'sleeping' failed: ValueError: no luck") == 1
    assert "penstock/runtime" not in done.stderr


def test_an_error_that_was_heard_is_not_told_again(program: Any) -> None:
    done = program("0.1", "fail", "heard")
    assert done.stdout.endswith("heard\n")
    assert "Error: Step" not in done.stderr


def test_nothing_is_said_if_it_is_over(program: Any) -> None:
    assert "waiting" not in program("0", "heard").stderr


def test_a_command_line_waits(tmp_path: Path, python: Any) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.partition("if __name__")[0] + "sleeping.cli()\n")
    done = python("program.py", "--seconds", "0.1", "--fail", check=False)
    assert done.returncode == 1
    assert "waiting for run" not in done.stderr


@pytest.mark.parametrize(
    ("number", "work"),
    [(signal.SIGINT, "time.sleep(seconds)"), (signal.SIGTERM, "while True: time.sleep(0.05)")],
    ids=["in C", "in Python"],
)
def test_a_signal_stops_it_and_that_is_written_down(
    tmp_path: Path, number: signal.Signals, work: str
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.replace("time.sleep(seconds)", work))
    going = subprocess.Popen(
        [sys.executable, "program.py", "600"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    assert going.stdout is not None
    assert going.stderr is not None
    for stream, awaited in ((going.stdout, "sleeps"), (going.stderr, "waiting")):
        while awaited not in (line := stream.readline()):
            assert line, "it ended"
    going.send_signal(number)
    going.communicate(timeout=120)
    assert going.returncode == -number
    run = Client().run("last")
    assert run.status is Status.STOPPED
    assert run.reason == ("Ctrl-C" if number == signal.SIGINT else "SIGTERM")
    told = rf"Run {run.id} of 'sleeping' was stopped \({run.reason}\)"
    with pytest.raises(RunFailed, match=told):
        run.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("own", ["time.sleep(600)", "run.wait()"])
def test_a_signal_while_the_program_does_its_own_work_stops_it_too(
    tmp_path: Path, number: signal.Signals, own: str
) -> None:
    text = PROGRAM.replace('    if "heard" in sys.argv:', f'    {own}\n    if "heard" in sys.argv:')
    text = text.replace("time.sleep(seconds)", "while True: time.sleep(0.05)")
    (tmp_path / "program.py").write_text(text)
    going = subprocess.Popen(
        [sys.executable, "program.py", "600"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ),
    )  # fmt: skip
    assert going.stdout is not None
    for _ in range(2):
        assert going.stdout.readline(), "it ended"
    going.send_signal(number)
    going.communicate(timeout=120)
    assert going.returncode == -number
    assert Client().run("last").status is Status.STOPPED
