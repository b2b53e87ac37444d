"""The local orchestrator: which thread a step runs in, how many at once, when it stops."""

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    RunFailed,
    Stack,
    Status,
    pipeline,
    step,
)
from penstock.errors import BadConfiguration

HOME = str(Path(penstock.__file__).parent)


def local(**options: Any) -> Stack:
    return Stack(
        "here",
        orchestrator=LocalOrchestrator(**options),
        artifact_store=LocalArtifactStore(),
    )


@step(cache=False)
def here(before: int) -> int:
    return threading.get_ident()


def test_a_chain_runs_in_the_callers_thread() -> None:
    @pipeline(progress=False)
    def chain() -> list[int]:
        one = here(0)
        two = here(one)
        return [one, two, here(two)]

    assert set(chain.run().result()) == {threading.get_ident()}


def test_few_frames_of_ours_lie_between_run_and_the_step() -> None:
    @step
    def frames() -> list[str]:
        found = []
        frame: Any = sys._getframe(1)
        while frame.f_code.co_name != "run":
            found.append(frame.f_code.co_filename)
            frame = frame.f_back
        return found

    @pipeline(progress=False)
    def counting() -> list[str]:
        return frames()

    found = counting.run().result()
    assert all(file.startswith(HOME) for file in found)
    assert len(found) <= 6


@pytest.mark.parametrize("count", [2, 3, 6])
def test_independent_steps_run_side_by_side(count: int) -> None:
    meeting = threading.Barrier(count)

    @step(cache=False)
    def meet(number: int) -> int:
        meeting.wait(120)
        return number

    @pipeline(progress=False)
    def meeting_all() -> list[int]:
        return meet.map(list(range(count)))

    assert meeting_all.on(local(max_workers=count)).run().result() == list(range(count))


def test_steps_that_become_ready_while_the_caller_is_busy_run_side_by_side() -> None:
    first = threading.Barrier(2)
    meeting = threading.Barrier(4)

    @step(cache=False)
    def busy() -> int:
        first.wait(120)
        meeting.wait(120)
        return 0

    @step(cache=False)
    def start() -> int:
        first.wait(120)
        return 0

    @step(cache=False)
    def meet(after: int, number: int) -> int:
        meeting.wait(120)
        return number

    @pipeline(progress=False)
    def crowd() -> list[int]:
        busy()
        begun = start()
        return [meet(begun, number) for number in range(3)]

    assert crowd.on(local(max_workers=4)).run().result() == [0, 1, 2]


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_steps_run_at_once_than_there_are_workers(most: int) -> None:
    lock = threading.Lock()
    running: set[int] = set()
    seen: list[int] = []

    @step(cache=False)
    def count(number: int) -> int:
        with lock:
            running.add(number)
            seen.append(len(running))
        time.sleep(0.01)
        with lock:
            running.discard(number)
        return number

    @pipeline(progress=False)
    def counting() -> list[int]:
        return count.map(list(range(12)))

    counting.on(local(max_workers=most)).run()
    assert max(seen) <= most


def test_at_least_one_worker_is_needed() -> None:
    with pytest.raises(BadConfiguration, match=r"max_workers=0, but at least one worker"):
        LocalOrchestrator(max_workers=0)


@step(cache=False)
def broken() -> int:
    raise ValueError("no")


@step(cache=False)
def fine(number: int) -> int:
    return number


@pipeline(progress=False)
def half_broken() -> Any:
    return [fine.after("broken")(1), fine(2), broken()]


def test_after_a_failure_nothing_new_is_started() -> None:
    with pytest.raises(RunFailed) as caught:
        half_broken.on(local(max_workers=1)).run()
    statuses = {view.id: view.status for view in caught.value.run}
    assert statuses["fine"] is Status.PENDING


def test_what_does_not_depend_on_a_failure_can_be_finished() -> None:
    @pipeline(progress=False)
    def finishing() -> Any:
        failed = broken()
        return [fine(failed), fine(2), fine.map([3, 4])]

    with pytest.raises(RunFailed) as caught:
        finishing.on(local(failure="finish")).run()
    assert {view.id: view.status for view in caught.value.run} == {
        "broken": "failed", "fine": "pending", "fine-2": "completed",
        "fine-3.0": "completed", "fine-3.1": "completed",
    }  # fmt: skip


def test_all_failures_of_a_run_are_counted() -> None:
    @pipeline(progress=False)
    def failing() -> Any:
        return [broken(), broken(), broken()]

    with pytest.raises(RunFailed, match=r"ValueError: no \(and 2 more failed\)"):
        failing.on(local(failure="finish")).run()


def forever() -> None:
    while True:
        time.sleep(0.001)


@pytest.mark.parametrize("where", ["in the caller's thread", "in a helper"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interrupt_in_one_step_stops_the_others(kind: type[BaseException], where: str) -> None:
    both = threading.Barrier(2)
    callers = threading.get_ident()

    @step(cache=False)
    def interrupted(number: int) -> int:
        both.wait(120)
        if (threading.get_ident() == callers) is (where == "in the caller's thread"):
            raise kind
        forever()
        return number

    @pipeline
    def stopping() -> Any:
        return fine.map(interrupted.map([1, 2]))

    with pytest.raises(kind):
        stopping.on(local(max_workers=2)).run()
    run = Client().run("last")
    assert run.status is Status.STOPPED
    assert {view.id: str(view.status) for view in run} == {
        "interrupted.0": "stopped", "interrupted.1": "stopped",
        "fine.0": "pending", "fine.1": "pending",
    }  # fmt: skip
    assert not [thread for thread in threading.enumerate() if thread.name == "penstock-worker"]


def test_a_broken_step_leaves_no_thread_behind() -> None:
    meeting = threading.Barrier(3)

    @step(cache=False)
    def meet(number: int) -> int:
        meeting.wait(120)
        if number == 1:
            raise ValueError
        return number

    @pipeline(progress=False)
    def leaving() -> Any:
        return fine.map(meet.map([0, 1, 2]))

    with pytest.raises(RunFailed):
        leaving.on(local(max_workers=3)).run()
    assert not [thread for thread in threading.enumerate() if thread.name == "penstock-worker"]
