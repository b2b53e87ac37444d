"""Maps over lists that a step produces: what runs, what is kept, and what is written down."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from penstock import (
    Client,
    Failure,
    Resources,
    RunFailed,
    Stack,
    pipeline,
    step,
)
from penstock.errors import CorruptArtifact, NotFound
from penstock.runtime.ledger import Ledger
from penstock.runtime.map_view import MapView
from penstock.runtime.run import Run

Made = Callable[..., Stack]


class Parts(NamedTuple):
    low: int
    high: np.ndarray


@dataclass
class Point:
    x: int
    y: int


@pytest.fixture(autouse=True)
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Ran":
    """What the steps were given, by what they say in a file: a global that counts would be a part
    of their code."""
    monkeypatch.setenv("RAN", str(tmp_path / "ran"))
    (tmp_path / "ran").touch()
    return Ran(tmp_path / "ran")


class Ran:
    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> dict[str, int]:
        """Since it was last asked."""
        found = Counter(self._file.read_text().split())
        self._file.write_text("")
        return dict(found)


def note(what: object) -> None:
    with open(os.environ["RAN"], "a") as file:
        file.write(f"{what}\n")


@step
def numbers(count: int, changed: int = -1) -> list[int]:
    return [place + 100 * (place == changed) for place in range(count)]


@step
def arrays(count: int, changed: int = -1) -> list[np.ndarray]:
    return [np.full(2000, place + 100 * (place == changed)) for place in range(count)]


@step
def points(count: int) -> list[Point]:
    return [Point(place, place) for place in range(count)]


@step
def given(value: Any) -> Any:
    return value


@step
def square(x: int, plus: int = 0) -> int:
    note(x)
    if x == 13:
        raise ValueError("13 brings bad luck")
    return x * x + plus


@step
def mean(rows: np.ndarray) -> float:
    note("mean")
    return float(rows.mean())


@step
def apart(point: Point) -> int:
    return point.x + point.y


@step
def split(x: int) -> Parts:
    return Parts(x, np.full(1000, x))


@step
def joined(part: Parts) -> float:
    return part.low + float(part.high.sum())


@step
def total(of: list[Any]) -> Any:
    return sum(item for item in of if not isinstance(item, Failure))


@pipeline(progress=False)
def squares(count: int, changed: int = -1) -> int:
    return total(square.map(numbers(count, changed)))  # type: ignore[no-any-return]


@pipeline(progress=False)
def means(count: int, changed: int = -1) -> list[float]:
    return mean.map(arrays(count, changed))


@pipeline(progress=False)
def over(value: Any) -> Any:
    return given.map(given(value))


def statuses(run: Run[Any]) -> dict[str, str]:
    return {view.id: str(view.status) for view in run}


# What runs.


def test_each_item_of_a_list_that_a_step_made_is_one_call(stack: Made) -> None:
    run = squares.on(stack()).run(3)
    assert run.result() == 5
    assert statuses(run) == dict.fromkeys(
        ("numbers", "square", "square.0", "square.1", "square.2", "total"), "completed"
    )


def test_of_many_items_one_that_changed_runs(stack: Made, ran: Ran) -> None:
    squares.on(stack()).run(12)
    ran()
    run = squares.on(stack()).run(12, changed=7)
    assert ran() == {"107": 1}
    assert run.result() == sum(x * x for x in range(12)) - 49 + 107 * 107
    assert Counter(statuses(run).values()) == {"cached": 11, "completed": 4}


def test_a_map_over_the_same_list_runs_nothing_and_writes_two_files(
    stack: Made, tmp_path: Path
) -> None:
    squares.on(stack()).run(4)
    run = squares.on(stack()).run(4)
    assert statuses(run) == dict.fromkeys(("numbers", "square", "total"), "cached")
    assert len(list((tmp_path / "store" / "runs" / run.id).iterdir())) == 2


def test_a_list_that_is_there_has_the_same_keys_item_by_item(stack: Made, ran: Ran) -> None:
    @pipeline(progress=False)
    def known() -> Any:
        return [square.map([0, 1]), mean.map([np.full(2000, 0), np.full(2000, 1)])]

    known.on(stack()).run()
    ran()
    squares.on(stack()).run(2)
    means.on(stack()).run(2)
    assert ran() == {}


def test_a_call_with_the_whole_list_is_something_else(stack: Made) -> None:
    @pipeline(progress=False)
    def both() -> Any:
        values = given([[1], [2]])
        return given.with_options(name="whole")(values), given.with_options(name="each").map(values)

    run = both.on(stack()).run()
    assert run["whole"].record.key != run["each"].record.key
    assert run.result() == ([[1], [2]], [[1], [2]])


def test_one_changed_array_is_one_new_object(stack: Made, tmp_path: Path) -> None:
    objects = tmp_path / "store" / "objects"

    def large() -> set[Path]:
        return {file for file in objects.rglob("*") if file.is_file() and "numpy" in _head(file)}

    means.on(stack()).run(20)
    before = large()
    means.on(stack()).run(20, changed=3)
    assert (len(before), len(large() - before)) == (20, 1)


def _head(file: Path) -> str:
    return file.read_bytes()[:10].decode("latin-1").lower()


def test_nothing_in_this_process_unpickles_the_items(stack: Made) -> None:
    run = means.on(stack()).run(3)
    assert run["arrays"].output.artifact.format == "items/1"
    assert {view.output.artifact.format for view in run["mean"]} == {"json/1"}
    assert run["arrays"].output.load()[2][0] == 2


@pytest.mark.parametrize("value", [[], ()])
def test_an_empty_list_gives_an_empty_list(stack: Made, value: Any) -> None:
    assert over.on(stack()).run(value).result() == []


@pytest.mark.parametrize(
    "value",
    [
        [1, 1.0, True, None, "a", "", [1], {"a": (1, 2)}, {3}, b"\x00", float("inf")],
        [{1: 2}, {"$set": [1]}, -0.0, 2**70],
    ],
)
def test_plain_items_come_as_they_were(stack: Made, value: Any) -> None:
    result = over.on(stack()).run(value).result()
    assert repr(result) == repr(value)


def test_items_may_be_of_several_kinds(stack: Made) -> None:
    value = [np.arange(3), "text", 5, Point(1, 2), None]
    result = over.on(stack()).run(value).result()
    assert result[0].tolist() == [0, 1, 2]
    assert result[1:] == value[1:]


def test_a_tuple_is_a_list_of_items_and_stays_a_tuple_for_others(stack: Made) -> None:
    @pipeline(progress=False)
    def tuples() -> Any:
        values = given((np.arange(2), 3))
        return given.with_options(name="each").map(values), values

    each, values = tuples.on(stack()).run().result()
    assert (type(each), type(values)) == (list, tuple)
    assert values[0].tolist() == each[0].tolist() == [0, 1]


def test_items_are_of_the_class_that_the_list_is_annotated_with(stack: Made) -> None:
    @pipeline(progress=False)
    def far() -> Any:
        made = points(3)
        return apart.map(made), made

    run = far.on(stack()).run()
    assert run.result() == ([0, 2, 4], [Point(0, 0), Point(1, 1), Point(2, 2)])
    assert Client(stack()).run(run.id)["points"].output.load()[1] == Point(1, 1)


def test_a_map_over_a_map(stack: Made) -> None:
    @pipeline(progress=False)
    def twice() -> Any:
        return square.map(square.map(numbers(4)), plus=1)

    assert twice.on(stack()).run().result() == [1, 2, 17, 82]


def test_a_step_with_several_outputs_gives_named_tuples(stack: Made) -> None:
    @pipeline(progress=False)
    def several() -> Any:
        parts = split.map(numbers(3))
        return joined.map(parts), parts

    run = several.on(stack()).run()
    sums, parts = run.result()
    assert sums == [0, 1001, 2002]
    assert (type(parts[1]), parts[1].low, parts[1].high[0]) == (Parts, 1, 1)
    assert run["split"][2].outputs["high"].load()[0] == 2


def test_the_other_arguments_may_come_from_steps(stack: Made) -> None:
    @pipeline(progress=False)
    def more() -> Any:
        return square.map(numbers(3), plus=total(numbers(4)))

    assert more.on(stack()).run().result() == [6, 7, 10]


def test_a_map_over_an_artifact_of_another_run(stack: Made) -> None:
    made = over.on(stack()).run([3, 4])
    lists = means.on(stack()).run(2)

    @pipeline(progress=False)
    def later(values: Any, rows: Any) -> Any:
        return square.map(values), mean.map(rows)

    run = later.on(stack()).run(made["given"].output, lists["arrays"].output)
    assert run.result() == ([9, 16], [0.0, 1.0])


def test_a_map_over_an_artifact_that_is_one_pickle(stack: Made) -> None:
    @pipeline(progress=False)
    def pickled() -> Any:
        return given([np.full(3, 1), np.full(3, 2)])

    @pipeline(progress=False)
    def later(rows: Any) -> Any:
        return mean.map(rows)

    made = pickled.on(stack()).run()
    assert made["given"].output.artifact.format == "pickle/1"
    assert later.on(stack()).run(made["given"].output).result() == [1.0, 2.0]


# What goes wrong.


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"a": 1}, "a dict"),
        ("words", "a value stored as text/1"),
        (5, "a int"),
        (None, "a NoneType"),
        (np.arange(3), "a value stored as npy/1"),
    ],
)
def test_what_is_no_list_is_said_once(stack: Made, value: Any, what: str) -> None:
    with pytest.raises(RunFailed) as caught:
        over.on(stack()).run(value)
    run = caught.value.run
    assert (
        f"Step given-2 maps over output 'output' of step given in run {run.id}, which is {what} "
        f"and no list ({__file__}:" in str(caught.value)
    )
    assert "Return a list or a tuple from that step" in str(run["given-2"].record.failure.message)


def test_an_item_that_fails_fails_the_run(stack: Made, ran: Ran) -> None:
    with pytest.raises(RunFailed, match=r"Step square\.13 of 'squares' failed: ValueError"):
        squares.on(stack(max_workers=1)).run(20)
    run = Client(stack()).run("last")
    assert run.status == "failed"
    assert (run["square"].status, run["total"].status) == ("pending", "pending")
    assert ran() == {str(number): 1 for number in range(14)}


def test_the_others_are_finished_if_that_is_asked_for(stack: Made, ran: Ran) -> None:
    with pytest.raises(RunFailed):
        squares.on(stack(failure="finish")).run(20)
    assert sum(ran().values()) == 20


def test_a_failure_is_collected_in_its_place(stack: Made, ran: Ran) -> None:
    @pipeline(progress=False)
    def collected() -> Any:
        found = square.map(numbers(15))
        return total(found), found

    collecting = stack(failure="collect")
    run = collected.on(collecting).run()
    whole, found = run.result()
    assert whole == sum(x * x for x in range(15)) - 169
    assert (found[13].step, found[13].kind) == ("square.13", "ValueError")
    assert [failure.step for failure in run.failures] == ["square.13"]
    ran()
    collected.on(collecting).run()
    assert ran() == {"13": 1}


def test_a_step_that_maps_over_a_failure_fails_there(stack: Made) -> None:
    @pipeline(progress=False)
    def further() -> Any:
        return square.map(square.map(given([2, 13, 3])), plus=1)

    found = further.on(stack(failure="collect")).run().result()
    assert (found[0], found[2], found[1].kind) == (17, 82, "InputFailed")
    assert "step square.1, which it needs, has failed (ValueError: 13" in found[1].message


def test_an_item_is_tried_as_often_as_its_step_may_be(stack: Made, tmp_path: Path) -> None:
    @step(retries=2)
    def stubborn(x: int) -> int:
        with (tmp_path / "tries").open("a") as file:
            file.write(f"{x}\n")
        if (tmp_path / "tries").read_text().count(f"{x}\n") <= x:
            raise OSError("not yet")
        return x

    @pipeline(progress=False)
    def patient() -> Any:
        return stubborn.map(given([0, 1, 2]))

    run = patient.on(stack()).run()
    assert [view.record.attempt for view in run["stubborn"]] == [1, 2, 3]


def test_what_was_done_before_a_failure_is_not_done_again(stack: Made, ran: Ran) -> None:
    with pytest.raises(RunFailed):
        squares.on(stack(max_workers=1)).run(20)
    ran()
    with pytest.raises(RunFailed):
        squares.on(stack(max_workers=1)).run(20)
    assert ran() == {"13": 1}


def test_without_the_cache_every_item_runs(stack: Made, ran: Ran) -> None:
    for _ in range(2):
        squares.on(stack()).with_options(cache=False).run(3)
    assert ran() == {"0": 2, "1": 2, "2": 2}


def test_a_refresh_runs_every_item(stack: Made, ran: Ran) -> None:
    squares.on(stack()).run(3)
    squares.on(stack()).with_options(refresh=True).run(3)
    assert ran() == {"0": 2, "1": 2, "2": 2}


def test_what_a_run_without_the_cache_did_is_resumed(stack: Made, ran: Ran) -> None:
    uncached = squares.on(stack(max_workers=1)).with_options(cache=False)
    with pytest.raises(RunFailed):
        uncached.run(16)
    ran()
    with pytest.raises(RunFailed):
        uncached.with_options(resume="last").run(16)
    assert ran() == {"13": 1}


# Where it runs.


@pipeline(progress=False)
def elsewhere(count: int) -> Any:
    return square.map(numbers(count)), mean.map(arrays(count))


def test_items_run_in_worker_processes(stack: Made, ran: Ran) -> None:
    run = elsewhere.on(stack(workers="processes", max_workers=2)).run(3)
    assert run.result() == ([0, 1, 4], [0.0, 1.0, 2.0])
    assert ran() == {"0": 1, "1": 1, "2": 1, "mean": 3}


def test_items_hold_what_their_step_asks_for(stack: Made, tmp_path: Path) -> None:
    together = tmp_path / "together"
    together.mkdir()

    @step(resources=Resources(memory="4Gi"))
    def heavy(x: int) -> int:
        mine = together / str(x)
        mine.touch()
        found = len(list(together.iterdir()))
        mine.unlink()
        return found

    @pipeline(progress=False)
    def hungry() -> Any:
        return heavy.map(given(list(range(6))))

    with_memory = stack(resources=Resources(memory="5Gi"), max_workers=4)
    assert hungry.on(with_memory).run().result() == [1] * 6


def test_many_items_run_side_by_side(stack: Made) -> None:
    @step
    def slow(x: int) -> str:
        import threading
        import time

        time.sleep(0.02)
        return threading.current_thread().name

    @pipeline(progress=False)
    def wide() -> Any:
        return slow.map(given(list(range(12))))

    assert len(set(wide.on(stack(max_workers=4)).run().result())) > 1


# What is written down.


def test_a_map_is_a_sequence_of_the_run(stack: Made) -> None:
    squares.on(stack()).run(4)
    for run in (squares.on(stack()).run(4), squares.on(stack()).run(5)):
        for found in (run, Client(stack()).run(run.id)):
            items = found["square"]
            assert isinstance(items, MapView)
            assert len(items) == run["numbers"].output.load()[-1] + 1
            assert [view.id for view in items[1:3]] == ["square.1", "square.2"]
            assert items[-1].output.load() == (len(items) - 1) ** 2
            assert found["square.2"].output.load() == 4
            assert items.output.load() == [x * x for x in range(len(items))]


def test_an_item_that_is_not_there_is_said(stack: Made) -> None:
    run = squares.on(stack()).run(2)
    for name in ("square.2", "square.x", "square.01", "total.0"):
        with pytest.raises(NotFound, match="has no step"):
            run[name]


def test_the_name_of_a_map_stands_for_its_items_and_itself(stack: Made) -> None:
    run = squares.on(stack()).run(2)
    assert run.named("square") == ["square.0", "square.1", "square"]
    assert run.named("square.1") == ["square.1"]


def test_hits_have_no_records_but_one_file_names_them(stack: Made, tmp_path: Path) -> None:
    first = squares.on(stack()).run(10)
    run = squares.on(stack()).run(10, changed=4)
    steps = tmp_path / "store" / "runs" / run.id / "steps"
    assert sorted(file.name for file in steps.iterdir()) == [
        "numbers.json", "square.4.json", "square.json", "total.json",
    ]  # fmt: skip
    made = Ledger(stack().artifact_store).expansion(run.id, "square")
    assert made is not None
    assert (made.count, len(made.hits), made.sources["square.0"]) == (
        10, 9, f"{first.id}/square.0",
    )  # fmt: skip


def test_what_an_item_was_given_is_said(stack: Made) -> None:
    run = squares.on(stack()).run(5, changed=2)
    assert run.inputs("square.2") == {"x": "102", "plus": "0"}
    run = means.on(stack()).run(2)
    assert run.inputs("mean.1") == {"rows": "a value stored as npy/1"}


def test_an_expansion_of_another_run_is_refused(stack: Made, tmp_path: Path) -> None:
    run = squares.on(stack()).run(2)
    other = squares.on(stack()).run(3)
    runs = tmp_path / "store" / "runs"
    stolen = (runs / run.id / "expansions" / "square.json").read_bytes()
    (runs / other.id / "expansions" / "square.json").write_bytes(stolen)
    with pytest.raises(CorruptArtifact, match="it is of the run"):
        Client(stack()).run(other.id)["square"]
