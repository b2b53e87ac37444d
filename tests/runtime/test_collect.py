"""failure="collect": what became of an item of a map is data for what comes next."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest

from penstock import (
    Client,
    Failure,
    LocalOrchestrator,
    Retry,
    RunFailed,
    Stack,
    pipeline,
    step,
)

Made = Callable[..., Stack]


@step
def half(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number // 2


@step
def told(items: list[Any]) -> list[str]:
    return [
        f"{item.step} {item.kind}: {item.message}" if isinstance(item, Failure) else str(item)
        for item in items
    ]


@step
def double(number: int) -> int:
    return number * 2


@pipeline
def halves(numbers: list[int]) -> list[str]:
    return told(half.map(numbers))


@pytest.fixture
def collecting(stack: Made) -> Stack:
    return stack(failure="collect")


def statuses(run: Any) -> dict[str, str]:
    return {view.id: str(view.status) for view in run}


def test_a_list_holds_failures_in_the_place_of_what_is_missing(collecting: Stack) -> None:
    run = halves.on(collecting).run([4, 5, 6])
    assert run.result() == ["2", "half.1 ValueError: 5 is odd", "3"]
    assert run.status == "completed"
    assert statuses(run) == {
        "half.0": "completed", "half.1": "failed", "half.2": "completed", "told": "completed",
    }  # fmt: skip


def test_the_closing_line_counts_them(
    collecting: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    halves.on(collecting).run([1, 3, 4])
    halves.on(collecting).run([1])
    halves.on(collecting).run([4])
    ends = [line for line in capsys.readouterr().err.splitlines() if line.startswith("completed")]
    assert ", 2 items failed  ·" in ends[0]
    assert ", 1 item failed  ·" in ends[1]
    assert "failed" not in ends[2]


def test_the_run_tells_its_failures_also_when_it_is_looked_up(collecting: Stack) -> None:
    run = halves.on(collecting).run([4, 5, 7])
    for found in (run, Client(collecting).run(run.id)):
        assert [(each.step, each.kind, each.message) for each in found.failures] == [
            ("half.1", "ValueError", "5 is odd"), ("half.2", "ValueError", "7 is odd"),
        ]  # fmt: skip
        assert found.failures[0].traceback.startswith("Traceback")
        assert "5 is odd" in found["half.1"].logs()
        assert found.status == "completed"


def test_a_run_without_failures_tells_none(collecting: Stack) -> None:
    assert halves.on(collecting).run([4]).failures == []


def test_a_failure_that_goes_through_many_steps_names_the_first_cause_once(
    collecting: Stack,
) -> None:
    @pipeline(progress=False)
    def chained(numbers: list[int]) -> list[str]:
        return told(double.map(double.map(double.map(half.map(numbers)))))

    run = chained.on(collecting).run([5])
    [said] = run.result()
    assert said.endswith(
        ", which it needs, has failed because of step half.0 (ValueError: 5 is odd)."
    )
    assert said.count("5 is odd") == said.count("has failed") == 1


def test_why_says_that_an_item_failed_before(collecting: Stack) -> None:
    first = halves.on(collecting).run([4, 5])
    second = halves.on(collecting).run([4, 5])
    [why] = second.why("half.1")
    assert [(change.kind, change.new) for change in why.changes] == [("failed", first.id)]
    assert why.words == f"it has no earlier result, and failed in run {first.id}"


def test_why_says_which_item_of_a_map_failed_before(
    collecting: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    @step
    def numbers(many: int) -> list[int]:
        return [4, 5, 6][:many]

    @pipeline
    def lists(many: int) -> list[Any]:
        return half.map(numbers(many))

    first = lists.on(collecting).run(2)
    second = lists.on(collecting).run(2)
    [why] = [each for each in second.why() if each.step == "half"]
    said = f"half.1 failed in run {first.id}, so that its result was not kept"
    assert [(change.kind, change.words) for change in why.changes] == [("failed", said)]
    assert said in capsys.readouterr().err


def test_failed_items_run_again_in_the_next_run(collecting: Stack, tmp_path: Path) -> None:
    @step
    def needs_file(name: str) -> str:
        return (tmp_path / name).read_text()

    @pipeline(progress=False)
    def reading() -> list[str]:
        return told(needs_file.map(["a", "b"]))

    (tmp_path / "a").write_text("1")
    first = reading.on(collecting).run()
    assert first.result()[1].startswith("needs_file.1 FileNotFoundError")
    (tmp_path / "b").write_text("2")
    second = reading.on(collecting).run()
    assert second.result() == ["1", "2"]
    assert statuses(second) == {
        "needs_file.0": "cached", "needs_file.1": "completed", "told": "completed",
    }  # fmt: skip
    assert set(statuses(reading.on(collecting).run()).values()) == {"cached"}


def test_equal_failures_are_equal_inputs(collecting: Stack) -> None:
    halves.on(collecting).run([4, 5])
    again = halves.on(collecting).run([4, 5])
    assert statuses(again) == {"half.0": "cached", "half.1": "failed", "told": "cached"}


def test_the_failure_of_one_value_fails_the_item_that_needs_it(collecting: Stack) -> None:
    @pipeline(progress=False)
    def chained(numbers: list[int]) -> list[str]:
        return told(double.map(half.map(numbers)))

    run = chained.on(collecting).run([5, 6])
    needed = "Step double.0 cannot run: step half.0, which it needs, has failed"
    assert run.result() == [f"double.0 InputFailed: {needed} (ValueError: 5 is odd).", "6"]
    assert [each.step for each in run.failures] == ["half.0", "double.0"]


def test_the_failure_of_one_value_fails_a_step_that_is_no_item(collecting: Stack) -> None:
    @pipeline(progress=False)
    def picking() -> Any:
        made = half.map([1, 2])
        return double(made[0]), double(made[1])

    with pytest.raises(RunFailed, match=r"double of 'picking' failed: InputFailed: Step double"):
        picking.on(collecting).run()


def test_another_step_that_fails_fails_the_run_and_the_rest_is_finished(
    collecting: Stack,
) -> None:
    @step
    def broken() -> int:
        raise OSError("no")

    @pipeline(progress=False)
    def mixed() -> Any:
        failed = broken()
        return double(failed), told(half.map([1, 2]))

    with pytest.raises(RunFailed, match=r"^Step broken of 'mixed' failed: OSError: no\n") as caught:
        mixed.on(collecting).run()
    assert statuses(caught.value.run) == {
        "broken": "failed", "double": "pending",
        "half.0": "failed", "half.1": "completed", "told": "completed",
    }  # fmt: skip


@pytest.mark.parametrize("failure", ["stop", "finish"])
def test_otherwise_a_failed_item_fails_the_run(failure: str, stack: Made) -> None:
    with pytest.raises(RunFailed, match=r"half\.1 of 'halves'"):
        halves.on(stack(failure=failure)).with_options(progress=False).run([4, 5])


def test_lists_in_lists_and_dicts_hold_failures(collecting: Stack) -> None:
    @step
    def shape(rows: list[list[Any]], named: dict[str, Any]) -> list[str]:
        flat = [*rows[0], *rows[1], named["one"], *named["more"]]
        return [type(item).__name__ for item in flat]

    @pipeline(progress=False)
    def nested() -> list[str]:
        made = half.map([1, 2])
        return shape([[made[0], made[1]], [made[0]]], {"one": made[0], "more": [made[1]]})

    assert nested.on(collecting).run().result() == ["Failure", "int", "Failure", "Failure", "int"]


class Parts(NamedTuple):
    low: int
    high: int


def test_each_of_several_outputs_is_the_failure(collecting: Stack) -> None:
    @step
    def parts(number: int) -> Parts:
        if number == 1:
            raise KeyError("none")
        return Parts(number, number + 1)

    @pipeline(progress=False)
    def split() -> list[str]:
        made = parts.map([0, 1])
        return told([each.low for each in made] + [each.high for each in made])

    assert split.on(collecting).run().result() == [
        "0", "parts.1 KeyError: 'none'", "1", "parts.1 KeyError: 'none'",
    ]  # fmt: skip


def test_a_step_may_declare_failures_as_outputs_of_its_own(collecting: Stack) -> None:
    """What a user's step returns is a value like any other."""

    @step
    def own() -> Annotated[Any, "it"]:
        return Failure("Mine", "of my own", "")

    @step
    def kind(given: Any) -> str:
        return str(given.kind)

    @pipeline(progress=False)
    def passing() -> str:
        return kind(own())

    assert passing.on(collecting).run().result() == "Mine"


def test_items_are_tried_again_before_they_count_as_failed(collecting: Stack) -> None:
    tries: list[int] = []

    @step(retries=Retry(times=2, delay=0))
    def flaky(number: int) -> int:
        tries.append(number)
        if number == 0 or len(tries) < 3:
            raise OSError("busy")
        return number

    @pipeline(progress=False)
    def trying() -> list[str]:
        return told(flaky.map([0, 1]))

    alone = Stack(
        "alone",
        orchestrator=LocalOrchestrator(failure="collect", max_workers=1),
        artifact_store=collecting.artifact_store,
    )
    run = trying.on(alone).run()
    assert run.result() == ["flaky.0 OSError: busy", "1"]
    assert tries == [0, 0, 0, 1]


def test_a_timeout_of_an_item_is_collected(collecting: Stack) -> None:
    @step(timeout=0.05)
    def slow(number: int) -> int:
        while True:
            number += 1

    @pipeline(progress=False)
    def waiting() -> list[str]:
        return told(slow.map([1]))

    (said,) = waiting.on(collecting).run().result()
    assert said.startswith("slow.0 StepTimeout: Step slow.0 took longer than its timeout of 0.05 s")


def test_the_result_of_the_pipeline_may_be_failures(collecting: Stack) -> None:
    @pipeline(progress=False)
    def plainly() -> list[int]:
        return half.map([2, 3])

    one, failed = plainly.on(collecting).run().result()
    assert one == 1
    assert isinstance(failed, Failure)
    assert (failed.step, failed.traceback) == ("half.1", "")


PROJECT = """
from penstock import Failure, pipeline, step

@step
def half(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number // 2

@step(step_operator="apart")
def told(items: list) -> list[str]:
    return [type(item).__name__ for item in items]

@step(step_operator="apart")
def broken(number: int) -> int:
    raise OSError(f"no {number}")

@pipeline(progress=False)
def main() -> object:
    return told(half.map([1, 2])), told(broken.map([1]))

if __name__ == "__main__":
    run = main.on("here").run()
    print(run.result(), [(each.step, each.message) for each in run.failures])
"""

STACK = """
orchestrators: {mine: {flavor: local, failure: collect}}
step_operators: {apart: {flavor: subprocess}}
stacks: {here: {orchestrator: mine, artifact_store: default, step_operators: [apart]}}
"""


def test_failures_pass_between_processes(python: Any, tmp_path: Path) -> None:
    (tmp_path / "project.py").write_text(PROJECT)
    (tmp_path / "penstock.yaml").write_text(STACK)
    assert python("project.py").stdout == (
        "(['Failure', 'int'], ['Failure']) [('half.0', '1 is odd'), ('broken.0', 'no 1')]\n"
    )
