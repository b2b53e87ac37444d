"""How runs are stopped: by signals, from other terminals, and what each leaves behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, Run, Status, pipeline, step
from penstock.errors import RunCancelled, RunError
from penstock.runtime.stopping import Stop, Stopped

PROGRAM = """
import ctypes, multiprocessing, os, signal, sys, threading, time
from penstock import pipeline, step

def ready(name="ready"):
    open(name, "w").close()

@step
def first() -> int:
    return 1

@step
def nap(number: int) -> int:
    ready(f"ready-{number}")
    time.sleep(600)
    return number

@step
def loop(number: int) -> int:
    ready(f"ready-{number}")
    while True:
        number += 1

@step
def rest(number: int) -> int:
    ready(f"ready-{number}")
    while True:
        time.sleep(0.01)

@step
def in_c(number: int) -> int:
    library, lock = ctypes.CDLL(None), ctypes.create_string_buffer(256)
    library.pthread_mutex_init(lock, None)
    library.pthread_mutex_lock(lock)
    ready()
    library.pthread_mutex_lock(lock)  # for ever, and no signal ends it
    return number

@step
def careful(number: int) -> int:
    try:
        ready()
        time.sleep(60)
    except KeyboardInterrupt:
        print("leaving early")
    return number

def work():
    time.sleep(60)

@step
def forking(number: int) -> int:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.terminate()
    process.join()
    return process.exitcode

@pipeline
def napping():
    nap(first())

@pipeline
def naps():
    nap.map([1, 2, 3])

@pipeline
def loops():
    loop.map([1, 2, 3])

@pipeline
def rests():
    rest.map([1, 2, 3])

@pipeline
def stuck():
    in_c(first())

@pipeline
def leaving():
    first.after(careful(1))()

@pipeline
def forks():
    forking(1)

@step
async def dream(number: int) -> int:
    import asyncio
    ready()
    await asyncio.sleep(60)
    return number

@pipeline
def dreaming():
    dream(1)

if __name__ == "__main__":
    # As in a shell: whoever runs these tests in the background may have it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    name, where = sys.argv[1:]
    run = globals()[name].run
    if where == "thread":
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    elif where == "cli":
        globals()[name].cli([])
    else:
        run()
"""


class Program:
    """The program above in a process of its own, in the test's folder."""

    def __init__(self, pipeline: str, where: str = "main") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "program.py", pipeline, where],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for what is bound to happen, while the process is there."""
        end = time.monotonic() + 120
        while not condition():
            assert self.process.poll() is None, self.ended()
            assert time.monotonic() < end
            time.sleep(0.02)

    def until_ready(self, *names: str) -> Run[Any]:
        """Wait until steps run."""
        self.until(lambda: all(Path(name).exists() for name in names or ["ready"]))
        return Client().run("last")

    def hear(self, line: str) -> None:
        """Wait until it says this on stderr."""
        assert self.process.stderr is not None
        assert line in iter(self.process.stderr.readline, ""), "it has said its last word"

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it said on stderr."""
        _, said = self.process.communicate(timeout=120)
        return self.process.returncode, said


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    (tmp_path / "program.py").write_text(PROGRAM)
    begun = []

    def start(*words: str) -> Program:
        begun.append(Program(*words))
        return begun[-1]

    yield start
    for program in begun:
        program.process.kill()
        program.process.communicate()


Start = Callable[..., Program]


def statuses(run: Run[Any]) -> set[str]:
    return {str(view.status) for view in run}


# Signals.


def test_a_run_whose_main_thread_is_stuck_in_c_is_recorded_all_the_same(start: Start) -> None:
    program = start("stuck")
    run = program.until_ready()
    program.process.terminate()
    program.until(lambda: run.status is Status.STOPPED)
    assert (run.reason, run["in_c"].status) == ("SIGTERM", "stopped")
    program.hear(f"Run {run.id} is written down as stopped (SIGTERM): waiting for in_c\n")
    program.until(lambda: not run.logs())  # it is still there: nothing can end that call

    program.process.terminate()
    assert program.ended()[0] == 128 + signal.SIGTERM


def test_the_second_signal_ends_the_process_at_once(start: Start) -> None:
    program = start("stuck")
    run = program.until_ready()
    program.process.send_signal(signal.SIGINT)
    time.sleep(1.5)  # two that come at once are one
    program.process.send_signal(signal.SIGINT)
    assert program.ended()[0] == 128 + signal.SIGINT
    assert (run.status, run.reason, run["in_c"].status) == ("stopped", "Ctrl-C", "stopped")


def test_a_signal_that_is_sent_twice_at_once_is_one(start: Start) -> None:
    """As `timeout` does: to the process, and to the group that it is in."""
    program = start("napping")
    run = program.until_ready("ready-1")
    for _ in range(3):
        program.process.terminate()
        time.sleep(0.01)
    code, said = program.ended()
    # The last of them may meet an interpreter that is ending, where no handler is left.
    assert code in (128 + signal.SIGTERM, -signal.SIGTERM)
    assert "stopped in" in said
    assert (run.status, run["nap"].status) == ("stopped", "stopped")


def test_ctrl_c_reaches_the_steps_of_all_threads(start: Start) -> None:
    program = start("loops")
    run = program.until_ready("ready-1", "ready-2", "ready-3")
    program.process.send_signal(signal.SIGINT)
    code, said = program.ended()
    assert code == -signal.SIGINT
    assert said.count("stopped after") == 3
    assert statuses(run) == {"stopped"}


def test_ctrl_c_does_not_wait_for_threads_that_cannot_be_reached(start: Start) -> None:
    program = start("naps")
    run = program.until_ready("ready-1", "ready-2", "ready-3")
    program.process.send_signal(signal.SIGINT)
    assert program.ended()[0] == -signal.SIGINT
    assert statuses(run) == {"stopped"}
    assert run.duration < 300


def test_a_step_that_catches_ctrl_c_keeps_its_result_and_no_other_begins(start: Start) -> None:
    program = start("leaving")
    run = program.until_ready()
    program.process.send_signal(signal.SIGINT)
    assert program.ended()[0] == -signal.SIGINT
    assert (run.status, run["careful"].status) == ("stopped", "completed")
    assert run["first"].status == "pending"


def test_an_async_step_is_stopped(start: Start) -> None:
    program = start("dreaming")
    run = program.until_ready()
    program.process.terminate()
    assert program.ended()[0] == 128 + signal.SIGTERM
    assert (run.status, run.reason, run["dream"].status) == ("stopped", "SIGTERM", "stopped")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_line_ends_with_the_number_of_the_signal(
    number: int, code: int, start: Start
) -> None:
    program = start("napping", "cli")
    program.until_ready("ready-1")
    program.process.send_signal(number)
    assert program.ended()[0] == code


def test_what_a_step_forks_does_not_stop_the_run_when_it_is_ended(start: Start) -> None:
    program = start("forks")
    assert program.ended()[0] == 0
    run = Client().run("last")
    assert run.status == "completed"
    assert run["forking"].output.load() == -signal.SIGTERM


@pytest.mark.parametrize("where", ["alone", "after one in the background"])
def test_after_a_run_signals_are_as_they_were(where: str) -> None:
    @pipeline(progress=False)
    def looking() -> list[str]:
        return handlers()

    @step(cache=False)
    def handlers() -> list[str]:
        found = map(signal.getsignal, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        return [getattr(each, "__qualname__", str(each)) for each in found]

    if where != "alone":
        looking.with_options(wait=False).run().wait()

    before = list(map(signal.getsignal, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))
    within = looking.run().result()
    assert within[1:] == ["Signals._terminate", "Signals._terminate"]
    assert before == list(map(signal.getsignal, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))
    assert signal.set_wakeup_fd(-1) == -1


def test_a_pipe_for_signals_that_is_somebody_elses_stays_theirs() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing)

    @step(cache=False)
    def looking() -> int:
        found = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(found)
        return found

    @pipeline(progress=False)
    def look() -> int:
        return looking()

    try:
        assert look.run().result() == writing
        assert signal.set_wakeup_fd(before) == writing
    finally:
        signal.set_wakeup_fd(-1)
        os.close(reading)
        os.close(writing)


# From another terminal.


@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_run_that_sleeps_can_be_cancelled(where: str, start: Start) -> None:
    program = start("napping", where)
    run = program.until_ready("ready-1")
    run.cancel()
    if where == "main":  # a thread that sleeps cannot be reached; it is left behind
        code, said = program.ended()
        assert code == 1
        assert f"penstock.errors.RunCancelled: Run {run.id} was cancelled by " in said
    program.until(lambda: run.status is not Status.RUNNING) if where == "thread" else None
    assert (run.status, run["nap"].status) == ("stopped", "stopped")
    assert run.reason.startswith("cancelled by ")


@pytest.mark.parametrize(
    ("name", "where"), [("loops", "main"), ("rests", "main"), ("rests", "thread"), ("rests", "cli")]
)
def test_a_run_in_several_threads_can_be_cancelled(name: str, where: str, start: Start) -> None:
    """Also where they leave no time for anything else."""
    program = start(name, where)
    run = program.until_ready("ready-1", "ready-2", "ready-3")
    run.cancel()
    code, said = program.ended()
    assert code == {"main": 1, "thread": 0, "cli": 130}[where]
    assert said.count("stopped after") == 3
    assert f"Run {run.id} was {run.reason}." in said
    assert (run.status, statuses(run)) == ("stopped", {"stopped"})


def test_what_has_ended_cannot_be_cancelled() -> None:
    @step
    def one() -> int:
        return 1

    @pipeline(progress=False)
    def ending() -> int:
        return one()

    run = ending.run()
    with pytest.raises(RunError) as caught:
        run.cancel()
    assert str(caught.value) == f"Run {run.id} cannot be cancelled: it is completed."


def test_what_is_lost_cannot_be_cancelled(start: Start) -> None:
    program = start("napping")
    run = program.until_ready("ready-1")
    program.process.kill()
    program.process.wait()
    with pytest.raises(RunError, match="it is lost: nobody is there to stop it"):
        run.cancel()


def test_a_run_that_goes_on_says_which_steps_run(start: Start) -> None:
    program = start("napping")
    run = program.until_ready("ready-1")
    program.until(lambda: run["nap"].status is Status.RUNNING)
    record = run["nap"].record
    assert run.started <= record.started <= time.time()
    assert statuses(run) == {"completed", "running"}
    program.process.kill()
    program.process.wait()
    assert (run.status, run["nap"].status) == ("lost", "lost")


def test_a_short_run_writes_no_beat() -> None:
    @step
    def one() -> int:
        return 1

    @pipeline(progress=False)
    def short() -> int:
        return one()

    run = short.run()
    assert not Path(f".penstock/runs/{run.id}/beat").exists()


# The pieces.


def test_only_the_first_reason_counts() -> None:
    stop = Stop()
    stop.request("cancelled by ann on laptop", cancelled=True)
    stop.request("Ctrl-C", number=signal.SIGINT)
    assert stop.why == "cancelled by ann on laptop"
    error = stop.instead("RUN", KeyboardInterrupt())
    assert isinstance(error, RunCancelled)
    assert str(error) == "Run RUN was cancelled by ann on laptop."


def test_nothing_begins_within_reach_of_a_stop() -> None:
    stop = Stop()
    stop.request("Ctrl-C")
    with pytest.raises(Stopped), stop.reach():
        pytest.fail("it began")


def test_a_strike_is_not_felt_out_of_reach() -> None:
    stop, out, begun = Stop(), threading.Event(), threading.Event()
    felt: list[BaseException] = []

    def work() -> None:
        try:
            with stop.reach():
                begun.set()
                stop.event.wait(60)
            out.wait(60)
            sum(range(1000))
        except Stopped as error:
            felt.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(60)
    stop.request("Ctrl-C")
    stop.strike(but=None)
    time.sleep(0.05)
    for _ in range(20):
        stop.strike()
    out.set()
    thread.join()
    assert len(felt) <= 1  # within reach, or it had left before the first strike
    assert not stop._reached
