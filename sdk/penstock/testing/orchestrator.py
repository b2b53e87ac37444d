"""What every orchestrator must do, whatever it runs its steps on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from penstock.api.pipeline import Pipeline, pipeline
from penstock.artifacts.local import LocalArtifactStore
from penstock.client import Client
from penstock.errors import RunFailed
from penstock.model.records import Status, StepRun
from penstock.model.retry import Retry
from penstock.orchestrators.local import LocalOrchestrator
from penstock.runtime.run import Run
from penstock.stack.orchestrator import Job, Observer, Orchestrator, Submitted
from penstock.stack.stack import Stack
from penstock.testing import steps

_few: Final = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],  # each example is a run: to look for a smaller one takes too long
    suppress_health_check=[
        *(HealthCheck.function_scoped_fixture, HealthCheck.differing_executors),
        HealthCheck.too_slow,
    ],
)
_numbers: Final = count()

Node = tuple[set[int], set[int]]
"""What a step of a random graph gets its inputs from, and what it only runs after."""


@st.composite
def _graphs(draw: st.DrawFn) -> list[Node]:
    earlier = st.integers(0, 9)
    nodes = draw(st.lists(st.tuples(st.sets(earlier), st.sets(earlier)), min_size=1, max_size=10))
    return [
        ({up for up in inputs if up < number}, {up for up in after if up < number})
        for number, (inputs, after) in enumerate(nodes)
    ]


class OrchestratorTests:
    """Inherit from this and give it an `orchestrator`.

    Whatever runs the steps must be able to import `penstock.testing.steps`, and to reach the
    folder of the store and the one that the steps are given.
    """

    wide: ClassVar[int] = 50
    """Steps that can run at the same time. Less where each takes seconds."""
    long: ClassVar[int] = 100
    """Steps that follow one another."""
    graphs: ClassVar[int] = 8
    """Random graphs, of up to ten steps."""
    asks: ClassVar[bool] = True
    """Whether it asks the job for each step that it runs. An engine that is handed one command line
    for all of them, and fills in the step by itself, does not."""

    @pytest.fixture
    def orchestrator(self) -> Orchestrator:
        """The orchestrator, as a user would configure it."""
        raise NotImplementedError("A suite needs its own `orchestrator` fixture.")

    @pytest.fixture
    def stack(self, orchestrator: Orchestrator, tmp_path: Path) -> Stack:
        """A stack with the orchestrator, and a store that its steps reach."""
        store = LocalArtifactStore(path=str(tmp_path / "store"))
        return Stack("tested", orchestrator=orchestrator, artifact_store=store)

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        """A folder that the steps reach, too: there they leave what they did."""
        folder = tmp_path / "folder"
        folder.mkdir()
        return str(folder)

    def test_a_diamond_runs_each_step_once_and_in_order(self, stack: Stack, folder: str) -> None:
        nodes: list[Node] = [(set(), set()), ({0}, set()), ({0}, set()), ({1, 2}, set())]
        run = _drawn(folder, nodes).on(stack).with_options(cache=False).run()

        assert run.result() == [1, 2, 2, 5]
        assert [steps.times(folder, f"n{number}") for number in range(4)] == [1] * 4
        assert steps.too_early(folder) == {}

    def test_a_wide_fan_runs_all_of_it(self, stack: Stack, folder: str) -> None:
        ends = set(range(1, self.wide + 1))
        nodes: list[Node] = [(set(), set()), *[({0}, set()) for _ in ends], (ends, set())]
        run = _drawn(folder, nodes).on(stack).run()

        assert run.result()[-1] == 2 * self.wide + 1
        assert steps.too_early(folder) == {}

    def test_a_long_chain_runs_to_its_end(self, stack: Stack, folder: str) -> None:
        nodes: list[Node] = [({number - 1} - {-1}, set()) for number in range(self.long)]

        assert _drawn(folder, nodes).on(stack).run().result()[-1] == self.long
        assert steps.too_early(folder) == {}

    def test_a_step_waits_for_one_that_gives_it_nothing(self, stack: Stack, folder: str) -> None:
        nodes: list[Node] = [({number - 1} - {-1}, set()) for number in range(4)]
        run = _drawn(folder, [*nodes, (set(), {3}), (set(), {4, 0})]).on(stack).run()

        assert run.result()[-2:] == [1, 1]
        assert steps.too_early(folder) == {}

    def test_a_map_runs_each_item(self, stack: Stack) -> None:
        @pipeline(progress=False)
        def mapping() -> int:
            return steps.total(steps.square.map([1, 2, 3]))

        run = mapping.on(stack).run()

        assert run.result() == 14
        assert [view.id for view in run][:3] == ["square.0", "square.1", "square.2"]

    def test_a_map_over_a_list_that_a_step_makes_runs_each_item(
        self, stack: Stack, folder: str
    ) -> None:
        """How many there are is known when that step has run: `Job.expand` says it."""
        run = _pipeline(lambda: _visited(folder, [1, 2, 3])).on(stack).run()

        assert run.result() == 14
        assert [steps.times(folder, f"item {item}") for item in (1, 2, 3)] == [1, 1, 1]
        items: Any = run["visit"]
        assert [view.output.load() for view in items] == [1, 4, 9]

    def test_a_map_over_an_empty_list_gives_an_empty_list(self, stack: Stack, folder: str) -> None:
        run = _pipeline(lambda: _visited(folder, [])).on(stack).run()

        assert run.result() == 0
        assert run["visit"].output.load() == []

    def test_only_the_items_that_changed_run_again(self, stack: Stack, folder: str) -> None:
        _pipeline(lambda: _visited(folder, [1, 2, 3])).on(stack).run()
        run = _pipeline(lambda: _visited(folder, [1, 5, 3])).on(stack).run()

        assert run.result() == 35
        assert [steps.times(folder, f"item {item}") for item in (1, 2, 3, 5)] == [1] * 4

    def test_an_item_that_fails_fails_the_run(self, stack: Stack, folder: str) -> None:
        caught = _failed(stack, folder, lambda: _visited(folder, [1, -2]))

        assert "Step visit.1 of 'failing' failed: ValueError: -2 is negative" in str(caught)
        assert caught.run["total"].status is Status.PENDING
        assert steps.times(folder, "item -2") == 1

    def test_a_step_whose_condition_does_not_hold_is_skipped(self, stack: Stack) -> None:
        def body(count: int) -> Any:
            large = steps.is_large(count)
            squared = steps.square.when(large)(count)
            return steps.given(squared), steps.total([squared, 1]), steps.square.unless(large)(2)  # type: ignore[list-item]

        run = _pipeline(lambda: body(3)).on(stack).run()

        assert run.result() == ("given None", None, 4)
        assert [view.status for view in run if view.status is Status.SKIPPED] == ["skipped"] * 2
        assert _pipeline(lambda: body(11)).on(stack).run().result() == ("given 121", 122, None)

    def test_any_graph_runs_in_an_order_that_it_allows(self, stack: Stack, folder: str) -> None:
        @settings(_few, max_examples=self.graphs)
        @given(_graphs())
        def runs(nodes: list[Node]) -> None:
            place = Path(folder, str(next(_numbers)))
            place.mkdir()
            run = _drawn(str(place), nodes).on(stack).run()

            assert run.result() == _expected(nodes)
            assert len(list(place.iterdir())) == len(nodes)
            assert steps.too_early(str(place)) == {}

        runs()

    def test_values_pass_through_the_store(self, stack: Stack) -> None:
        """What one step does to its input, no other sees."""

        @pipeline(progress=False)
        def spoiling() -> Any:
            values = steps.items(4)
            spoilt = steps.spoil(values)
            return spoilt, steps.total.after(spoilt)(values), values

        assert spoiling.on(stack).run().result() == (5, 6, [0, 1, 2, 3])

    def test_its_records_are_those_of_the_local_orchestrator(
        self, stack: Stack, tmp_path: Path
    ) -> None:
        local = Stack(
            "local",
            orchestrator=LocalOrchestrator(),
            artifact_store=LocalArtifactStore(path=str(tmp_path / "local")),
        )

        @pipeline(progress=False)
        def several() -> Any:
            low, high = steps.split(3)
            return low, steps.hand_on(high), steps.large(100_000)

        here, there = several.on(local).run(), several.on(stack).run()

        assert _digests(there) == _digests(here)
        assert [view.record.key for view in there] == [view.record.key for view in here]

    def test_what_a_step_prints_is_its_log(self, stack: Stack) -> None:
        @pipeline(progress=False)
        def talking() -> Any:
            return steps.talk("of this"), steps.talk.with_options(name="other")("of that")

        run = talking.on(stack).run()

        for how in ("said", "complained", "logged"):
            assert run["talk"].logs().count(f"{how} of this") == 1
            assert run["other"].logs().count(f"{how} of that") == 1
            assert f"{how} of that" not in run["talk"].logs()

    def test_a_step_that_fails_fails_the_run(self, stack: Stack, folder: str) -> None:
        caught = _failed(stack, folder, lambda: steps.fail(folder, "way"))

        assert "Step fail of 'failing' failed: ValueError: no way" in str(caught)
        assert _again(stack, caught.run).status is Status.FAILED
        assert caught.run["fail"].record.failure.kind == "ValueError"
        assert steps.times(folder, "way") == 1

    def test_what_needs_a_failed_step_does_not_run(self, stack: Stack, folder: str) -> None:
        def body() -> Any:
            failed = steps.fail(folder, "way")
            below = steps.work.with_options(name="below")(folder, "below", [], [failed])
            after = steps.work.with_options(name="after").after(failed)(folder, "after", [], [])
            return below, after, steps.work.with_options(name="last")(folder, "last", [], [below])

        caught = _failed(stack, folder, body)

        assert [steps.times(folder, name) for name in ("below", "after", "last")] == [0, 0, 0]
        assert caught.run["last"].status is Status.PENDING

    def test_what_was_done_before_a_failure_is_kept(self, stack: Stack, folder: str) -> None:
        def body() -> Any:
            done = steps.work(folder, "done", [], [1])
            return steps.fail_at_first.after(done)(folder, "late", 1)

        _failed(stack, folder, body)
        run = _pipeline(body).on(stack).run()

        assert run.result() == 2
        assert run["work"].status is Status.CACHED
        assert steps.times(folder, "done") == 1

    def test_a_failed_attempt_is_followed_by_another(self, stack: Stack, folder: str) -> None:
        stubborn = steps.fail_at_first.with_options(retries=Retry(times=2, delay=0))
        run = _pipeline(lambda: stubborn(folder, "late", 2)).on(stack).run()

        assert run.result() == steps.times(folder, "late") == 3

    def test_running_again_runs_nothing(self, stack: Stack, folder: str) -> None:
        again = _drawn(folder, [(set(), set()), ({0}, set()), ({0}, {1})]).on(stack)
        first, second = again.run(), again.run()

        assert [view.status for view in second] == [Status.CACHED] * 3
        assert second.result() == first.result()
        assert len(list(Path(folder).iterdir())) == 3

    def test_only_what_is_missing_runs(
        self, stack: Stack, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _drawn(folder, [(set(), set()), ({0}, set())]).on(stack).run()
        jobs, _ = _watched(stack, monkeypatch)
        run = _drawn(folder, [(set(), set()), ({0}, set()), ({0, 1}, set())]).on(stack).run()

        assert run.result() == [1, 2, 4]
        assert [steps.times(folder, name) for name in ("n0", "n1", "n2")] == [1, 1, 1]
        assert [call for job in jobs for call in job.pending] == ["n2"]
        assert not self.asks or {call for job in jobs for call in job.asked} == {"n2"}

    def test_an_interrupted_step_ends_the_run(self, stack: Stack, folder: str) -> None:
        """As Ctrl-C does: where the step is in this process, that is what is raised."""

        def body() -> Any:
            first = steps.interrupt(folder, "first")
            return steps.work.after(first)(folder, "below", [], [])

        with pytest.raises((KeyboardInterrupt, RunFailed)):
            _pipeline(body).on(stack).run()

        assert Client(stack).run("last").status in (Status.STOPPED, Status.FAILED)
        assert (steps.times(folder, "first"), steps.times(folder, "below")) == (1, 0)

    def test_an_observer_that_raises_changes_nothing(
        self, stack: Stack, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loud = _drawn(folder, [(set(), set()), ({0}, set())]).with_options(progress=True)
        with monkeypatch.context() as broken:
            broken.setattr(sys, "stderr", _Broken())
            run = loud.on(stack).run()

        assert run.status is Status.COMPLETED
        assert run.result() == [1, 2]

    def test_submit_says_where_the_run_is_or_nothing(
        self, stack: Stack, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, answers = _watched(stack, monkeypatch)
        _drawn(folder, [(set(), set())]).on(stack).run()

        (answer,) = answers
        assert answer is None or (isinstance(answer, Submitted) and answer.remote_id)


class _Watched:
    """A job that knows which calls it was asked for."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.pending = list(job.pending)
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)

    def execute(self, call_id: str, **options: Any) -> StepRun:
        self.asked.append(call_id)
        return self._job.execute(call_id, **options)

    def command(self, call_id: str, *, run: str = "", job: str = "") -> Sequence[str]:
        self.asked.append(call_id)
        return self._job.command(call_id, run=run, job=job)


def _watched(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> tuple[list[_Watched], list[object]]:
    """The jobs that the orchestrator is given from here on, and what it answers."""
    kind = type(stack.orchestrator)
    submit = kind.submit
    jobs: list[_Watched] = []
    answers: list[object] = []

    def watched(self: Orchestrator, job: Any, observer: Observer) -> Submitted | None:
        jobs.append(_Watched(job))
        found = submit(self, jobs[-1], observer)
        answers.append(found)
        return found

    monkeypatch.setattr(kind, "submit", watched)
    return jobs, answers


class _Broken:
    """A terminal with a defect."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return False

    def flush(self) -> None: ...

    def write(self, text: str) -> int:
        raise RuntimeError("a terminal with a defect")


def _pipeline(body: Callable[[], Any]) -> Pipeline[[], Any]:
    @pipeline(progress=False)
    def failing() -> Any:
        return body()

    return failing


def _drawn(folder: str, nodes: Sequence[Node]) -> Pipeline[[], list[int]]:
    """A pipeline with a step `n0`, `n1`, … for each node."""

    @pipeline(progress=False)
    def drawn() -> list[int]:
        made: list[Any] = []
        for number, (inputs, after) in enumerate(nodes):
            one = steps.work.with_options(name=f"n{number}").after(*(made[up] for up in after))
            needs = [f"n{up}" for up in sorted(inputs | after)]
            made.append(one(folder, f"n{number}", needs, [made[up] for up in sorted(inputs)]))
        return made

    return drawn


def _visited(folder: str, items: list[int]) -> int:
    return steps.total(steps.visit.map(steps.hand_on(items), folder))


def _expected(nodes: Sequence[Node]) -> list[int]:
    found: list[int] = []
    for inputs, _ in nodes:
        found.append(1 + sum(found[up] for up in inputs))
    return found


def _failed(stack: Stack, folder: str, body: Callable[[], Any]) -> RunFailed:
    with pytest.raises(RunFailed) as caught:
        _pipeline(body).on(stack).run()
    return caught.value


def _again(stack: Stack, run: Run[Any]) -> Run[Any]:
    """The run as the store has it."""
    return Client(stack).run(run.id)


def _digests(run: Run[Any]) -> dict[str, dict[str, str]]:
    return {
        view.id: {name: made.artifact.digest for name, made in view.outputs.items()} for view in run
    }
