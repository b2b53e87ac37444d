"""Resuming, replaying and parts, where lists and conditions are known at run time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    RunFailed,
    Stack,
    pipeline,
    step,
)


def ran() -> list[str]:
    """The steps that have run since the last time that this was asked."""
    log = Path("ran.txt")
    found = sorted(log.read_text().split()) if log.exists() else []
    log.write_text("")
    return found


def note(name: str) -> None:
    with open("ran.txt", "a") as log:
        log.write(f"{name}\n")


@dataclass
class Part:
    number: int


@step(cache=False)
def cut(count: int) -> list[Part]:
    note("cut")
    return [Part(number) for number in range(count)]


@step(cache=False)
def weigh(part: Part) -> int:
    note(f"weigh-{part.number}")
    if part.number == 1 and Path("broken").exists():
        raise ValueError("one")
    return part.number * 10


@step
def name(part) -> str:  # type: ignore[no-untyped-def] # the class is known from `cut` alone
    note(f"name-{part.number}")
    return str(part)


@step
def total(weights: list[int]) -> int:
    note("total")
    return sum(weights)


@step
def check(count: int) -> bool:
    note("check")
    return count > 2


@step
def warn(count: int) -> str:
    note("warn")
    return "many"


@pipeline(progress=False)
def weighing(count: int = 3) -> int:
    return total(weigh.map(cut(count)))


@pipeline(progress=False)
def warning(count: int = 3) -> Any:
    return warn.when(check(count))(count)


@pytest.fixture
def on() -> Stack:
    return Stack(
        "one",
        orchestrator=LocalOrchestrator(max_workers=1, failure="finish"),
        artifact_store=LocalArtifactStore(path="store"),
    )


def test_items_of_a_resumed_map_are_taken_one_by_one(on: Stack) -> None:
    Path("broken").touch()
    with pytest.raises(RunFailed):
        weighing.on(on).run()
    Path("broken").unlink()
    ran()
    run = weighing.on(on).with_options(resume="last").run()
    assert (ran(), run.result()) == (["total", "weigh-1"], 30)


def test_a_resumed_map_is_whole_without_the_run_that_was_resumed(on: Stack) -> None:
    before = weighing.on(on).run()
    run = weighing.on(on).with_options(resume=before).run()
    items: Any = Client(on).run(run.id)["weigh"]
    assert [view.output.load() for view in items] == [0, 10, 20]


def test_a_resumed_map_is_taken_as_a_whole(on: Stack) -> None:
    before = weighing.on(on).run()
    ran()
    run = weighing.on(on).with_options(resume=before).run()
    assert (ran(), run.result()) == ([], 30)


def test_an_item_is_replayed_by_its_id() -> None:
    assert weighing.run().replay("weigh.2") == 20


def test_an_item_is_compared_with_what_it_gave() -> None:
    again = weighing.run().replaying("weigh.2")
    assert (again.compared(again.value()), again.changed) == ({"output": True}, "")


def test_a_step_that_gets_the_results_of_a_map_is_replayed() -> None:
    assert weighing.run().replay("total") == 30


def test_a_step_that_makes_such_a_list_is_compared() -> None:
    again = weighing.run().replaying("cut")
    assert again.compared(again.value()) == {"output": True}


def test_a_part_maps_over_a_list_that_was_taken() -> None:
    weighing.run()
    ran()
    run = weighing.with_options(from_step="weigh").run()
    assert (ran(), run.result()) == (["weigh-0", "weigh-1", "weigh-2"], 30)


def test_its_items_have_the_class_that_the_step_says() -> None:
    @pipeline(progress=False)
    def naming() -> list[str]:
        return name.map(cut(1))

    naming.run()
    run = naming.with_options(only="name", refresh=True).run()
    assert run.result() == ["Part(number=0)"]


def test_a_part_gets_the_results_of_a_map_that_was_taken() -> None:
    weighing.run()
    ran()
    run = weighing.with_options(only="total", refresh=True).run()
    assert (ran(), run.result()) == (["total"], 30)


@pytest.mark.parametrize(("count", "steps"), [(3, ["warn"]), (1, [])])
def test_a_condition_that_was_taken_is_what_it_was(count: int, steps: list[str]) -> None:
    warning.run(count)
    ran()
    run = warning.with_options(only="warn", refresh=True).run(count)
    assert (ran(), run.result()) == (steps, "many" if steps else None)


def test_a_skipped_step_is_skipped_again() -> None:
    before = warning.run(1)
    ran()
    run = warning.with_options(resume=before, cache=False).run()
    assert (ran(), run["warn"].status) == ([], "skipped")
