"""Writes off the critical path: what begins while large outputs are written, and what waits."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock
from penstock import (
    LocalArtifactStore,
    LocalOrchestrator,
    Resources,
    Retry,
    RunFailed,
    Stack,
    Status,
    pipeline,
    step,
)
from penstock.artifacts.draft import Draft
from penstock.artifacts.objects import MEANWHILE
from penstock.artifacts.source import Source
from penstock.errors import BadConfiguration, StoreUnavailable
from penstock.model.records import StepRun
from penstock.orchestrators.flight import Flight
from penstock.stack.orchestrator import Job, Observer, Orchestrator

LONG = 30
"""Seconds after which what never comes has not come."""

SHORT = 0.2
"""Seconds for what must not come: it would come in a fraction of that."""


def here(on_write: Callable[[], None] = lambda: None, **options: Any) -> Stack:
    """A stack whose store calls `on_write`, in the step's thread, before each large object."""

    class Watched(LocalArtifactStore):
        flavor: ClassVar[str] = "watched"

        def draft(self, source: Source) -> Draft:
            on_write()
            return super().draft(source)

    orchestrator = LocalOrchestrator(**options)
    return Stack("here", orchestrator=orchestrator, artifact_store=Watched())


class Coming:
    """Something that is to come. Whoever waits for it fails if it does not."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def comes(self, *told: object) -> None:
        self._event.set()

    def within(self, seconds: float) -> bool:
        return self._event.wait(seconds)

    def wait(self) -> None:
        assert self.within(LONG), "it has not come"


def until(what: Callable[[], bool]) -> None:
    """Look again and again, so that a stop is felt."""
    end = time.monotonic() + LONG
    while not what():
        assert time.monotonic() < end, "it has not come"
        time.sleep(0.001)


def functions(thread: int) -> list[str]:
    """The names of the functions that a thread is in."""
    found, frame = [], sys._current_frames().get(thread)
    while frame is not None:
        found.append(frame.f_code.co_name)
        frame = frame.f_back
    return found


@step(cache=False)
def large(number: int = 0, size: int = MEANWHILE) -> bytes:
    return number.to_bytes(1, "big") * size


@step(cache=False)
def thread(after: Any = None) -> int:
    return threading.get_ident()


def helpers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "penstock-worker"]


def left_behind() -> list[Path]:
    return list(Path(".penstock/tmp").iterdir())


# What begins meanwhile.


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_while_a_step_is_written_all_workers_run_others(workers: int) -> None:
    met = Coming()
    meeting = threading.Barrier(workers, action=met.comes)

    @step(cache=False)
    def meet(number: int) -> int:
        meeting.wait(LONG)
        return number

    @pipeline(progress=False)
    def meeting_all() -> Any:
        return [large(), meet.map(list(range(workers)))]

    run = meeting_all.on(here(met.wait, max_workers=workers)).run()
    assert run.result() == [bytes(MEANWHILE), list(range(workers))]


def test_several_steps_are_written_at_once() -> None:
    writing = threading.Barrier(3)

    @pipeline(progress=False)
    def several() -> Any:
        return large.map([1, 2, 3])

    run = several.on(here(lambda: writing.wait(LONG), max_workers=1)).run()
    assert [value[0] for value in run.result()] == [1, 2, 3]


def test_a_step_that_becomes_ready_while_others_are_written_begins() -> None:
    second = Coming()

    @step(cache=False)
    def first() -> int:
        return 1

    @step(cache=False)
    def after(number: int) -> int:
        second.comes()
        return number

    @pipeline(progress=False)
    def following() -> Any:
        return [large(), after(first())]

    assert following.on(here(second.wait, max_workers=1)).run().result()[1] == 1


def test_files_are_written_meanwhile_as_well() -> None:
    begun = Coming()

    @step(cache=False)
    def folder() -> Path:
        Path("made").mkdir()
        Path("made/file").write_bytes(bytes(MEANWHILE))
        return Path("made")

    @step(cache=False)
    def beside() -> None:
        begun.comes()

    @pipeline(progress=False)
    def filing() -> Any:
        return [folder(), beside()]

    run = filing.on(here(begun.wait, max_workers=1)).run()
    assert (run.result()[0] / "file").stat().st_size == MEANWHILE


def test_a_step_that_begins_meanwhile_knows_nothing_of_the_one_that_is_written() -> None:
    begun = Coming()
    found = []

    def told(record: StepRun) -> None:
        found.append((record.call, penstock.context().step))
        begun.comes()

    @step(cache=False, on_start=told)
    def beside() -> str | None:
        print("beside")
        return penstock.context().step

    @pipeline(progress=False)
    def knowing() -> Any:
        return [large(), beside()]

    run = knowing.on(here(begun.wait, max_workers=1)).run()
    assert run.result()[1] == "beside"
    assert found == [("beside", None)]
    assert (run["large"].logs(), run["beside"].logs()) == ("", "beside\n")


# What does not.


def test_what_depends_on_a_step_waits_until_it_is_written() -> None:
    begun, told = Coming(), []

    def record() -> list[str]:
        return [file.stem for file in Path(".penstock/runs").glob("*/steps/large.json")]

    @step(cache=False)
    def beside() -> list[str]:
        begun.comes()
        return record()

    @step(cache=False)
    def below(value: bytes) -> list[str]:
        return record()

    def finished(run: StepRun) -> None:
        told.append(f"{run.call} {run.status}")

    @pipeline(progress=False)
    def waiting() -> Any:
        value = large.with_options(on_success=finished)()
        after = below.with_options(on_start=finished)
        return [beside.with_options(on_start=finished)(), after(value)]

    run = waiting.on(here(begun.wait, max_workers=3)).run()
    assert run.result() == [[], ["large"]]
    assert told == ["beside running", "large completed", "below running"]


def test_no_more_is_in_flight_than_there_may_be() -> None:
    """The second of two steps that are being written keeps its place, the only one."""
    second_written, third, told = Coming(), Coming(), []

    def on_write() -> None:
        name = penstock.context().step
        if name == "large.0":
            second_written.wait()
        elif name == "large.1":
            told.append(third.within(SHORT))

    @step(cache=False)
    def last() -> None:
        third.comes()

    @pipeline(progress=False)
    def writing() -> Any:
        large.with_options(on_success=written).map([0, 1])
        return last()

    def written(run: StepRun) -> None:
        if run.call == "large.1":
            second_written.comes()

    stack = here(on_write, max_workers=1, memory_in_flight="10Mi")
    writing.on(stack).run()
    assert told == [False]


def test_without_memory_for_it_a_step_keeps_its_place() -> None:
    @pipeline(progress=False)
    def keeping() -> Any:
        written = large.map([1, 2])
        return [thread(), thread(written), thread.with_options(name="other")()]

    run = keeping.on(here(max_workers=1, memory_in_flight="0")).run()
    assert set(run.result()) == {threading.get_ident()}


def test_whoever_has_written_waits_for_a_place() -> None:
    begun, other, told = Coming(), Coming(), []
    callers = threading.get_ident()

    @step(cache=False)
    def beside() -> None:
        begun.comes()
        until(lambda: "next_for_caller" in functions(callers))
        told.append(other.within(SHORT))

    @pipeline(progress=False)
    def waiting() -> Any:
        return [large(), beside(), thread.with_options(on_start=other.comes)()]

    waiting.on(here(begun.wait, max_workers=1)).run()
    assert told == [False]
    assert other.within(0)


def test_an_output_that_is_soon_written_keeps_its_place() -> None:
    @pipeline(progress=False)
    def keeping() -> Any:
        written = large(1, MEANWHILE - 1)
        return [thread(), thread(written)]

    run = keeping.on(here(max_workers=1)).run()
    assert set(run.result()) == {threading.get_ident()}


def test_a_step_keeps_its_resources_until_it_is_written() -> None:
    begun, other, told = Coming(), Coming(), []
    core = Resources(cpu=1)

    def on_write() -> None:
        begun.wait()
        told.append(other.within(SHORT))

    beside = thread.with_options(name="beside", on_start=begun.comes)
    needing = thread.with_options(name="needing", resources=core, on_start=other.comes)

    @pipeline(progress=False)
    def holding() -> Any:
        large.with_options(resources=core)()
        return [needing(), beside()]

    holding.on(here(on_write, max_workers=2, resources=core)).run()
    assert told == [False]
    assert other.within(0)


# What is told, and what is written down.


class Telling(Orchestrator):
    """Runs the steps in turn, and writes down what it is told of their writes."""

    flavor: ClassVar[str] = "telling"
    told: ClassVar[list[int]] = []

    def submit(self, job: Job, observer: Observer) -> None:
        for call in job.pending:
            job.execute(call, writing=self.told.append)


@pytest.fixture
def telling() -> Iterator[Telling]:
    yield Telling()
    Telling.told.clear()


class Two(NamedTuple):
    one: bytes
    two: list[bytearray]


def test_each_large_output_is_told_before_it_is_written(telling: Telling) -> None:
    @step(cache=False)
    def several() -> Two:
        return Two(bytes(MEANWHILE), [bytearray(MEANWHILE + 1), bytearray(10)])

    @pipeline(progress=False)
    def saying() -> Any:
        return several()

    stack = Stack("telling", orchestrator=telling, artifact_store=LocalArtifactStore())
    saying.on(stack).run()
    assert telling.told[0] == MEANWHILE
    assert sum(telling.told) >= 2 * MEANWHILE + 1


def test_a_step_that_is_tried_again_needs_its_place_again(telling: Telling) -> None:
    failures = [StoreUnavailable("the disk is full")]

    def on_write() -> None:
        if failures:
            raise failures.pop()

    @pipeline(progress=False)
    def trying() -> Any:
        return large.with_options(retries=Retry(times=1, delay=0))()

    stack = Stack("telling", orchestrator=telling, artifact_store=here(on_write).artifact_store)
    assert trying.on(stack).run().status is Status.COMPLETED
    assert telling.told == [MEANWHILE, 0, MEANWHILE]


def test_the_time_of_a_step_includes_its_write() -> None:
    @pipeline(progress=False)
    def timing() -> Any:
        return large()

    record = timing.on(here(lambda: time.sleep(0.05))).run()["large"].record
    assert record.wall >= 0.05


# What goes wrong.


@pytest.mark.parametrize(("failure", "last"), [("stop", "pending"), ("finish", "completed")])
def test_a_write_that_fails_is_a_failed_step(failure: str, last: str) -> None:
    begun = Coming()
    callers = threading.get_ident()

    def on_write() -> None:
        begun.wait()
        raise StoreUnavailable("the disk is full")

    @step(cache=False)
    def beside() -> None:
        begun.comes()
        until(lambda: "next_for_caller" in functions(callers))

    @pipeline(progress=False)
    def failing() -> Any:
        below, last = (thread.with_options(name=name) for name in ("below", "last"))
        return [below(large()), beside(), last()]

    with pytest.raises(RunFailed, match="the disk is full") as caught:
        failing.on(here(on_write, max_workers=1, failure=failure)).run()
    statuses = {view.id: str(view.status) for view in caught.value.run}
    assert statuses == {
        "large": "failed", "below": "pending", "beside": "completed", "last": last,
    }  # fmt: skip
    assert not left_behind()
    assert not helpers()


def test_ctrl_c_while_the_callers_thread_writes_leaves_nothing_half_written() -> None:
    script = Path(__file__).with_name("interrupted_writer.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    assert json.loads(done.stdout) == {
        "statuses": {"large": "stopped", "beside": "stopped", "after": "pending"},
        "temporary": [],
        "workers": [],
        "large objects": 0,
    }


BUFFER = bytearray(4 * MEANWHILE)


class Pair(NamedTuple):
    one: bytearray
    other: memoryview


@pytest.mark.parametrize(
    "kept",
    [lambda: BUFFER, lambda: [BUFFER], lambda: {"a": BUFFER}, lambda: Pair(BUFFER, BUFFER)],
    ids=["itself", "list", "dict", "tuple"],
)
def test_a_buffer_that_is_filled_again_is_written_before(kept: Callable[[], Any]) -> None:
    @step(cache=False)
    def filled(number: int) -> Any:
        BUFFER[:] = bytes([number]) * len(BUFFER)
        return kept()

    @step(cache=False)
    def seen(value: Any) -> list[int]:
        while not isinstance(value, bytearray):
            value = next(iter(value.values() if isinstance(value, dict) else value))
        return [value[0]] if value.count(value[0]) == len(value) else sorted(set(value))

    @pipeline(progress=False)
    def filling() -> Any:
        return [seen(filled(number)) for number in range(1, 5)]

    assert filling.on(here(max_workers=1)).run().result() == [[1], [2], [3], [4]]


@pytest.mark.parametrize("text", ["much", "-1", "4GB", ""])
def test_memory_that_is_no_quantity_is_refused(text: str) -> None:
    said = f"Orchestrator 'local': memory_in_flight={text!r}: a number and a unit are needed, one"
    with pytest.raises(BadConfiguration, match=said):
        LocalOrchestrator(memory_in_flight=text)


# Any graph.


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 5), max_size=2)), max_size=7),
    st.integers(1, 3),
    st.integers(0, 3),
)
def test_never_more_runs_or_is_written_than_there_is_room_for(
    nodes: list[tuple[bool, set[int]]], workers: int, room: int
) -> None:
    lock = threading.Lock()
    computing: set[str] = set()
    most_computing, most_writing = [0], [0]
    writing: set[str] = set()

    def on_write() -> None:
        with lock:
            writing.add(str(penstock.context().step))
            most_writing.append(len(writing))
        time.sleep(0.001)

    def whole(run: StepRun) -> None:
        with lock:
            writing.discard(run.call)

    @step(cache=False, on_success=whole)
    def compute(number: int, is_large: bool, above: list[Any]) -> bytes:
        with lock:
            computing.add(me := str(penstock.context().step))
            most_computing.append(len(computing))
        time.sleep(0.001)
        with lock:
            computing.discard(me)
        return os.urandom(8) + bytes(MEANWHILE if is_large else 10)

    @pipeline(progress=False)
    def drawn() -> list[Any]:
        made: list[Any] = []
        for number, (is_large, above) in enumerate(nodes):
            inputs = [made[up] for up in sorted(above) if up < number]
            made.append(compute(number, is_large, inputs))
        return made

    stack = here(on_write, max_workers=workers, memory_in_flight=f"{room * 8}Mi")
    run = drawn.on(stack).run()
    assert run.status is Status.COMPLETED
    assert max(most_computing) <= workers
    assert max(most_writing) <= workers + room
    assert not helpers()


# The sum by itself.


def test_a_flight_takes_what_fits_below_its_limit() -> None:
    flight = Flight(20)
    for call, size, free in [("a", 8, 1), ("b", 12, 2), ("c", 1, 2), ("b", 1, 1), ("c", 1, 2)]:
        flight.writes(call, size)
        assert len(flight) == free, (call, size)


def test_what_has_ended_makes_room() -> None:
    flight = Flight(10)
    flight.writes("a", 10)
    flight.writes("b", 10)
    flight.ends("a")
    assert len(flight) == 0
    flight.writes("c", 10)
    assert len(flight) == 1


def test_a_call_that_computes_again_has_written_nothing() -> None:
    flight = Flight(10)
    flight.writes("a", 10)
    flight.writes("a", 0)
    assert len(flight) == 0
    flight.writes("a", 10)
    assert len(flight) == 1
