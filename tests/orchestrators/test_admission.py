"""Admission: never more at once than there is, and nobody waits for ever."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import (
    LocalArtifactStore,
    LocalOrchestrator,
    Resources,
    RunFailed,
    Stack,
    pipeline,
    step,
)
from penstock.model.graph import Call
from penstock.model.records import StepRun
from penstock.orchestrators.admission import Admission
from penstock.orchestrators.capacity import Capacity, amounts
from penstock.orchestrators.machine import Machine
from penstock.orchestrators.walk import Ready
from penstock.stack.orchestrator import Job, Observer

KINDS = ("cpu", "memory", "gpu")
THERE = Resources(cpu=3, memory="3k", gpu=1)
TOTAL = {"cpu": 3.0, "memory": 3.0, "gpu": 1.0}

asked = st.builds(
    lambda cpu, memory, gpu: Resources(
        cpu=cpu or None, memory=f"{memory}k" if memory else None, gpu=gpu or None
    ),
    st.sampled_from([0, 0.1, 0.5, 1, 2, 3]),
    st.integers(0, 3),
    st.integers(0, 1),
)


@step
def anything() -> None: ...


def call(number: int, resources: Resources) -> Call:
    return Call(str(number), anything.with_options(resources=resources), {})


def of(resources: Resources) -> dict[str, float]:
    memory = float((resources.memory or "0k").removesuffix("k"))
    return {"cpu": resources.cpu or 0, "memory": memory, "gpu": resources.gpu or 0}


# The queue by itself.


@given(st.lists(asked, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_who_passes_leaves_what_the_first_waits_for(wanted: list[Resources], chance: Any) -> None:
    calls = {str(number): call(number, each) for number, each in enumerate(wanted)}
    queue = Admission(calls.values(), Capacity(THERE, Machine()))
    coming, waiting, running = list(calls), [], []
    free = list(amounts(call(0, THERE)))
    while coming or waiting or running:
        if coming and chance.random() < 0.5:
            queue.append(coming[0])
            waiting.append(coming.pop(0))
        elif queue:
            before, first = list(free), waiting[0]
            taken = queue.popleft()
            free = [has - takes for has, takes in zip(free, amounts(calls[taken]), strict=True)]
            waiting.remove(taken)
            running.append(taken)
            assert min(free) >= 0
            if taken != first:
                needs = amounts(calls[first])
                kept = [min(need, had) for need, had in zip(needs, before, strict=True)]
                assert all(has >= keeps for has, keeps in zip(free, kept, strict=True))
        elif running:
            done = running.pop(chance.randrange(len(running)))
            queue.give_back(done)
            free = [has + gives for has, gives in zip(free, amounts(calls[done]), strict=True)]
        else:
            assert coming, "nothing runs, and what waits cannot start"


def test_steps_that_ask_for_nothing_that_is_short_pass() -> None:
    calls = [
        call(0, Resources(gpu=1)), call(1, Resources(gpu=1, cpu=1)), call(2, Resources(cpu=2)),
        call(3, Resources()), call(4, Resources(gpu=1)), call(5, Resources(cpu=1)),
    ]  # fmt: skip
    queue = Admission(calls, Capacity(THERE, Machine()))
    for each in calls:
        queue.append(each.id)
    taken = []
    while queue:
        taken.append(queue.popleft())
    assert taken == ["0", "2", "3"]  # the third core is kept for the second step
    queue.give_back("0")
    assert queue.popleft() == "1"


def test_equal_steps_start_in_the_order_in_which_they_came() -> None:
    calls = [call(number, Resources(cpu=0.1)) for number in range(40)]
    queue = Admission(calls, Capacity(THERE, Machine()))
    for each in calls:
        queue.append(each.id)
    taken = []
    while queue:
        taken.append(queue.popleft())
    assert taken == [str(number) for number in range(30)]  # ten tenths are one


def test_after_clear_nothing_starts() -> None:
    queue = Admission([call(0, Resources(cpu=1))], Capacity(THERE, Machine()))
    queue.append("0")
    assert queue
    queue.clear()
    assert not queue


# Whole runs, in real threads.

Node = tuple[set[int], Resources]


class Watch:
    """What runs at each moment, told by the steps themselves."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes
        self._lock = threading.Lock()
        self._now: Counter[str] = Counter()
        self.done: list[int] = []
        self.wrong: list[str] = []

    def __call__(self, number: int) -> int:
        ups, resources = self._nodes[number]
        with self._lock:
            if missing := ups - set(self.done):
                self.wrong.append(f"{number} before {missing}")
            self._now.update(of(resources))
            self.wrong += [
                f"{kind}: {self._now[kind]} at once"
                for kind in KINDS
                if self._now[kind] > TOTAL[kind] + 1e-9
            ]
        time.sleep(0.003)
        with self._lock:
            self._now.subtract(of(resources))
            self.done.append(number)
        return number


def carried_out(nodes: list[Node], orchestrator: LocalOrchestrator) -> Watch:
    watch = Watch(nodes)

    @step(cache=False)
    def work(number: int, before: list[int]) -> int:
        return watch(number)

    @pipeline(progress=False)
    def random() -> list[int]:
        made: list[int] = []
        for number, (ups, resources) in enumerate(nodes):
            told = work.with_options(resources=resources)
            made.append(told(number, [made[up] for up in sorted(ups)]))
        return made

    random.on(Stack("x", orchestrator=orchestrator, artifact_store=LocalArtifactStore())).run()
    return watch


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    nodes = draw(st.lists(st.tuples(st.sets(st.integers(0, 9)), asked), min_size=1, max_size=10))
    return [({up for up in ups if up < number}, each) for number, (ups, each) in enumerate(nodes)]


@settings(max_examples=25)
@given(graphs())
def test_any_graph_runs_within_what_there_is(nodes: list[Node]) -> None:
    watch = carried_out(nodes, LocalOrchestrator(resources=THERE, max_workers=5))
    assert watch.wrong == []
    assert sorted(watch.done) == list(range(len(nodes)))


class Planted(LocalOrchestrator):
    """With an admission that has a defect."""

    def __init__(self, defect: type[Admission]) -> None:
        super().__init__(resources=THERE, max_workers=5)
        object.__setattr__(self, "_defect", defect)

    def _room(
        self, job: Job, observer: Observer
    ) -> tuple[AbstractContextManager[None], Ready, Callable[[str], StepRun]]:
        calls = [job.plan.graph.calls[call] for call in job.pending]
        there = Capacity(self.resources, Machine())
        return nullcontext(), self._defect(calls, there), job.execute  # type: ignore[attr-defined]


class Forgetful(Admission):
    def give_back(self, call: str) -> None: ...


class Generous(Admission):
    def give_back(self, call: str) -> None:
        super().give_back(call)
        super().give_back(call)


class Blind(Admission):
    def _found(self) -> Any:
        return next(iter(self._ready), None)


WIDE: list[Node] = [(set(), Resources(cpu=2)) for _ in range(8)]


def test_what_is_not_given_back_is_noticed() -> None:
    with pytest.raises(RunFailed, match="nobody has run these steps"):
        carried_out(WIDE, Planted(Forgetful))


@pytest.mark.parametrize("defect", [Generous, Blind])
def test_what_is_counted_wrong_is_noticed(defect: type[Admission]) -> None:
    assert carried_out(WIDE, Planted(defect)).wrong


def test_the_planted_orchestrator_is_sound_without_a_defect() -> None:
    assert carried_out(WIDE, Planted(Admission)).wrong == []
