"""Steps that fail: what is raised, what is recorded, what is tried again."""

import asyncio
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from penstock import Client, Retry, RunFailed, Stack, Status, pipeline, step
from penstock.errors import StepTimeout, UnsupportedValue, WrongOutputs
from penstock.runtime.deadline import Deadline
from penstock.runtime.runid import nonce

Made = Callable[..., Stack]


def deeper(value: int) -> int:
    return 1 // value


@step
def divide(value: int) -> int:
    return deeper(value)


@step
def follow(value: int) -> int:
    return value


@pipeline(progress=False)
def dividing(value: int) -> int:
    return follow(divide(value))


def line_of(text: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip() == text)


def frames(start: TracebackType | None) -> list[str]:
    return [frame.f_code.co_name for frame, _ in traceback.walk_tb(start)]


def test_a_failed_step_shows_the_users_frames_and_nothing_else() -> None:
    with pytest.raises(RunFailed) as caught:
        dividing.run(0)
    failure = caught.value.run["divide"].record.failure
    assert failure is not None
    assert failure.traceback == (
        "Traceback (most recent call last):\n"
        f'  File "{__file__}", line {line_of("return deeper(value)")}, in divide\n'
        "    return deeper(value)\n"
        "           ^^^^^^^^^^^^^\n"
        f'  File "{__file__}", line {line_of("return 1 // value")}, in deeper\n'
        "    return 1 // value\n"
        "           ~~^^~~~~~~\n"
        "ZeroDivisionError: integer division or modulo by zero\n"
    )
    assert frames(caught.value.__cause__.__traceback__) == ["divide", "deeper"]  # type: ignore[union-attr]


def test_run_failed_names_the_step_and_the_next_command() -> None:
    with pytest.raises(RunFailed) as caught:
        dividing.run(0)
    run = caught.value.run
    assert str(caught.value) == (
        "Step divide of 'dividing' failed: ZeroDivisionError: integer division or modulo by zero\n"
        f"penstock run show {run.id}"
    )
    assert run.status is Status.FAILED
    assert Client().run(run.id).status is Status.FAILED
    assert {view.id: view.status for view in run} == {"divide": "failed", "follow": "pending"}
    assert "ZeroDivisionError" in run["divide"].logs()


def test_causes_are_told_with_the_users_frames_only() -> None:
    @step
    def wrapped() -> int:
        try:
            return deeper(0)
        except ZeroDivisionError as error:
            raise KeyError("rows") from error

    @pipeline(progress=False)
    def wrapping() -> int:
        return wrapped()

    with pytest.raises(RunFailed) as caught:
        wrapping.run()
    text = caught.value.run["wrapped"].record.failure.traceback
    assert text.count("File ") == 3
    assert text.count(f'File "{__file__}"') == 3
    assert "direct cause" in text


def test_a_failed_async_step_shows_no_event_loop() -> None:
    @step
    async def awaited() -> int:
        await asyncio.sleep(0)
        return deeper(0)

    @pipeline(progress=False)
    def awaiting() -> int:
        return awaited()

    with pytest.raises(RunFailed) as caught:
        awaiting.run()
    assert frames(caught.value.__cause__.__traceback__) == ["awaited", "deeper"]  # type: ignore[union-attr]


def test_a_step_called_by_a_step_leaves_no_frame_of_ours_between() -> None:
    @step
    def outer() -> int:
        return divide(0)

    @pipeline(progress=False)
    def calling() -> int:
        return outer()

    with pytest.raises(RunFailed) as caught:
        calling.run()
    assert frames(caught.value.__cause__.__traceback__) == ["outer", "divide", "deeper"]  # type: ignore[union-attr]


def test_our_own_complaint_comes_without_frames() -> None:
    @step
    def generating() -> Any:
        return (number for number in [1])

    @pipeline(progress=False)
    def generate() -> Any:
        return generating()

    with pytest.raises(RunFailed) as caught:
        generate.run()
    assert isinstance(caught.value.__cause__, UnsupportedValue)
    failure = caught.value.run["generating"].record.failure
    assert "File " not in failure.traceback
    assert failure.message.startswith("Output 'output' of step generating")


def test_the_wrong_number_of_outputs_says_how_many() -> None:
    @step
    def three() -> tuple[int, int]:
        return 1, 2, 3  # type: ignore[return-value]

    @pipeline(progress=False)
    def counting() -> Any:
        return three()

    with pytest.raises(RunFailed) as caught:
        counting.run()
    assert isinstance(caught.value.__cause__, WrongOutputs)
    assert caught.value.run["three"].record.failure.message == (
        "Step three declares 2 outputs (output_0, output_1) and returned 3 "
        f"({__file__}:{line_of('def three() -> tuple[int, int]:') - 1}).\n"
        "Return as many values as the annotation names."
    )


def test_an_error_that_cannot_say_what_it_is_fails_its_step_and_not_the_run() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    @step
    def mute() -> int:
        raise Mute

    @pipeline(progress=False)
    def muted() -> int:
        return mute()

    with pytest.raises(RunFailed, match=r"Mute: \(its message cannot be read: RuntimeError\)"):
        muted.run()


# Attempts.


def test_a_step_that_fails_is_tried_again_and_every_attempt_is_recorded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    @step(retries=Retry(times=2, delay=0))
    def flaky(folder: str) -> int:
        file = Path(folder, "tries")
        tries = len(file.read_text()) if file.exists() else 0
        file.write_text("x" * (tries + 1))
        if tries < 2:
            raise OSError(f"try {tries}")
        return tries

    @pipeline
    def trying() -> int:
        return flaky(str(tmp_path))

    run = trying.run()
    assert run.result() == 2
    assert run["flaky"].record.attempt == 3
    attempts = Client()._ledger.attempts(run.id, "flaky")
    assert [(item.attempt, item.failure and item.failure.message) for item in attempts] == [
        (1, "try 0"), (2, "try 1"),
    ]  # fmt: skip
    said = capsys.readouterr().err.splitlines()
    assert said[1:3] == [
        "  note: flaky failed (OSError: try 0), attempt 1 of 3",
        "  note: flaky failed (OSError: try 1), attempt 2 of 3",
    ]


def test_each_attempt_gets_its_inputs_anew() -> None:
    @step(retries=Retry(times=1, delay=0))
    def spoil(values: list[int]) -> list[int]:
        values.append(1)
        if not seen:
            seen.append(1)
            raise OSError
        return values

    seen: list[int] = []

    @pipeline(progress=False)
    def spoiling() -> list[int]:
        return spoil([])

    assert spoiling.run().result() == [1]


def test_a_step_that_always_fails_is_tried_as_often_as_it_says() -> None:
    @step(retries=Retry(times=2, delay=0))
    def broken() -> int:
        raise OSError("no")

    @pipeline(progress=False)
    def breaking() -> int:
        return broken()

    with pytest.raises(RunFailed) as caught:
        breaking.run()
    assert caught.value.run["broken"].record.attempt == 3
    assert len(Client()._ledger.attempts(caught.value.run.id, "broken")) == 3


def test_attempts_that_fail_at_once_keep_their_order() -> None:
    names = [nonce(1_800_000_000 + tick / 1e6) for tick in range(50)]
    assert names == sorted(names)


def test_nothing_of_a_failed_step_is_in_the_cache() -> None:
    answers = [OSError("no"), 4]

    @step
    def unsure() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @pipeline(progress=False)
    def asking() -> int:
        return unsure()

    with pytest.raises(RunFailed):
        asking.run()
    assert asking.run().result() == 4


# Timeouts.


def timed(seconds: float, body: Callable[[], object]) -> Any:
    @step(timeout=seconds, cache=False)
    def slow() -> int:
        body()
        return 1

    @pipeline(progress=False)
    def waiting() -> int:
        return slow()

    with pytest.raises(RunFailed) as caught:
        waiting.run()
    return caught.value


def forever() -> None:
    while True:
        time.sleep(0.01)


def test_a_step_that_takes_too_long_is_stopped_at_its_next_instruction() -> None:
    error = timed(0.1, forever)
    record = error.run["slow"].record
    assert record.status is Status.TIMED_OUT
    where, _, said = record.failure.traceback.partition("penstock.errors.")
    assert "in forever" in where
    assert "penstock/runtime" not in where
    assert said == (
        "StepTimeout: Step slow took longer than its timeout of 0.1 s.\n"
        "A step in a thread is stopped at its next Python instruction: what it called may still "
        "have run for a while.\n"
    )
    assert isinstance(error.__cause__, StepTimeout)


def test_no_except_clause_of_the_users_swallows_a_timeout() -> None:
    def stubborn() -> None:
        while True:
            try:
                forever()
            except Exception:
                continue

    assert timed(0.1, stubborn).run["slow"].status is Status.TIMED_OUT


def test_a_step_that_sleeps_in_c_is_stopped_when_it_comes_back() -> None:
    assert timed(0.05, lambda: time.sleep(0.4)).run["slow"].status is Status.TIMED_OUT


def test_a_timeout_that_is_over_before_the_step_begins_is_a_timeout() -> None:
    for _ in range(100):
        with pytest.raises(StepTimeout), Deadline("slow", 1e-9):
            forever()


def test_a_step_in_time_is_left_alone() -> None:
    @step(timeout=1)
    def quick() -> int:
        return 1

    @pipeline(progress=False)
    def waiting() -> int:
        return quick()

    assert waiting.run().result() == 1
    time.sleep(1.1)  # nothing strikes afterwards


def test_an_async_step_that_waits_is_stopped_while_it_waits() -> None:
    @step(timeout=0.1)
    async def waits() -> int:
        await asyncio.Event().wait()
        return 1

    @pipeline(progress=False)
    def waiting() -> int:
        return waits()

    with pytest.raises(RunFailed, match=r"StepTimeout: Step waits took longer than .* 0\.1 s"):
        waiting.run()


def test_an_async_step_that_never_waits_is_stopped_too() -> None:
    @step(timeout=0.1)
    async def busy() -> int:
        forever()
        return 1

    @pipeline(progress=False)
    def waiting() -> int:
        return busy()

    with pytest.raises(RunFailed, match="StepTimeout"):
        waiting.run()


def test_a_timeout_error_of_the_users_own_is_a_failure() -> None:
    @step(timeout=60)
    async def failing() -> int:
        raise TimeoutError("the database")

    @pipeline(progress=False)
    def waiting() -> int:
        return failing()

    with pytest.raises(RunFailed) as caught:
        waiting.run()
    assert caught.value.run["failing"].status is Status.FAILED


def test_a_timeout_in_a_helper_thread_stops_that_step_only(stack: Made) -> None:
    started = threading.Barrier(2)

    @step(cache=False)
    def meets(value: int) -> int:
        started.wait(120)
        return value

    @step(cache=False, timeout=0.1)
    def late() -> int:
        started.wait(120)
        forever()
        return 1

    @pipeline(progress=False)
    def waiting() -> list[int]:
        return [meets(1), late()]

    with pytest.raises(RunFailed) as caught:
        waiting.on(stack(failure="finish", max_workers=2)).run()
    assert {view.id: view.status for view in caught.value.run} == {
        "meets": Status.COMPLETED, "late": Status.TIMED_OUT,
    }  # fmt: skip


# Ctrl-C.


def test_ctrl_c_in_a_step_is_recorded_as_stopped_and_raised() -> None:
    @step(retries=3)
    def interrupted() -> int:
        raise KeyboardInterrupt

    @pipeline(progress=False)
    def stopping() -> int:
        return follow(interrupted())

    with pytest.raises(KeyboardInterrupt):
        stopping.run()
    run = Client().run("last")
    assert run.status is Status.STOPPED
    assert {view.id: view.status for view in run} == {
        "interrupted": Status.STOPPED, "follow": Status.PENDING,
    }  # fmt: skip


# What is measured.


def test_a_step_record_holds_times_memory_and_bytes() -> None:
    @step
    def measured(value: str) -> str:
        time.sleep(0.02)
        return value + "!"

    @pipeline(progress=False)
    def measuring() -> str:
        return measured(follow_text("abc"))

    before = time.time()
    record = measuring.run()["measured"].record
    assert before <= record.started <= time.time()
    assert record.wall >= 0.02 > record.cpu
    assert record.peak_memory > 1_000_000
    assert (record.read, record.written) == (3, 4)


@step
def follow_text(value: str) -> str:
    return value


def test_a_step_with_parameters_by_position_only_runs() -> None:
    @step
    def power(base: int, /, exponent: int = 2) -> int:
        return base**exponent

    @pipeline
    def main() -> int:
        return power(3)

    assert main.run().result() == 9


def test_a_step_that_ends_the_process_is_on_screen(capsys: pytest.CaptureFixture[str]) -> None:
    @step
    def leave() -> None:
        raise KeyboardInterrupt

    @pipeline
    def main() -> None:
        leave()

    with pytest.raises(KeyboardInterrupt):
        main.run()
    said = capsys.readouterr().err.splitlines()
    assert said[1].split()[:2] == ["leave", "stopped"]
    assert said[2].startswith("stopped in")
