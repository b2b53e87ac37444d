"""One step of a run once more: on its recorded inputs, here, with nothing written down."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from penstock import Client, Run, RunFailed, context, pipeline, step
from penstock.errors import NotFound


class Split(NamedTuple):
    low: list[int]
    high: np.ndarray


@dataclass
class Model:
    weight: float


@step
def load(count: int) -> Split:
    return Split(list(range(count)), np.arange(count, dtype=float))


@step(timeout=600)
def train(low: list[int], high: np.ndarray, rate: float) -> Model:
    if Path("broken").exists():
        raise ValueError(f"no {len(low)}")
    return Model(rate * float(high.sum()) + sum(low))


@step(cache=False)
def chance(model: Model) -> bytes:
    return os.urandom(4)


@step
def square(number: int) -> int:
    return number * number


@step
async def later(number: int) -> int:
    await asyncio.sleep(0)
    return number + 1


@step(secrets=["TOKEN"])
def ask() -> int:
    return len(os.environ["TOKEN"])


@step
def keep() -> list[Any]:
    here = context()
    Path("state").write_text("1")
    here.checkpoint("state")
    here.log_metadata(a=1)
    return [here.step, here.restore() is None]


@step
def write() -> Path:
    path = Path("made.txt")
    path.write_text("made")
    return path


@pipeline(progress=False)
def training(count: int = 4, rate: float = 2.0) -> Any:
    parts = load(count)
    model = train(parts.low, parts.high, rate)
    return chance(model), square.map([2, 3]), later(4)


def failed() -> Run[Any]:
    Path("broken").touch()
    with pytest.raises(RunFailed) as caught:
        training.run()
    Path("broken").unlink()
    found: Run[Any] = caught.value.run
    return found


def files() -> dict[Path, int]:
    """Every file of the store, and when it was changed."""
    return {path: path.stat().st_mtime_ns for path in Path(".penstock").rglob("*")}


def test_a_step_is_given_what_it_was_given() -> None:
    assert training.run().replay("train") == Model(18.0)


def test_a_run_that_was_looked_up_replays_as_well() -> None:
    training.run()
    assert Client().run("last").replay("train") == Model(18.0)


def test_a_step_that_failed_can_be_replayed() -> None:
    assert failed().replay("train") == Model(18.0)


def test_what_the_step_raises_is_raised_with_its_frames_only() -> None:
    run = failed()
    Path("broken").touch()
    with pytest.raises(ValueError, match="no 4") as caught:
        run.replay("train")
    assert "penstock/runtime" not in str([entry.path for entry in caught.traceback[2:]])


def test_nothing_is_written_to_the_store() -> None:
    run = training.run()
    before = files()
    run.replay("train")
    run.replay("chance")
    assert files() == before


def test_a_checkpoint_is_not_written_either() -> None:
    @pipeline(progress=False)
    def keeping() -> list[Any]:
        return keep()

    run = keeping.run()
    before = files()
    assert run.replay("keep") == ["keep", True]
    assert files() == before


def test_an_item_of_a_map_is_named_by_its_id() -> None:
    assert training.run().replay("square.1") == 9


def test_the_name_of_a_map_is_not_enough() -> None:
    with pytest.raises(NotFound, match=r"(?s)'square' stands for 2 steps.*one of them: square.0"):
        training.run().replay("square")


def test_an_async_step_is_awaited() -> None:
    assert training.run().replay("later") == 5


def test_a_secret_is_there_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("penstock.yaml").write_text("""
active: mine
stacks: {mine: {orchestrator: default, artifact_store: default,
                secrets: {TOKEN: "${env:ELSEWHERE}"}}}
""")
    monkeypatch.setenv("ELSEWHERE", "12345")

    @pipeline(progress=False)
    def asking() -> int:
        return ask()

    assert asking.run().replay("ask") == 5
    assert "TOKEN" not in os.environ


def test_an_unknown_step_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"(?s)has no step 'trian'.*Did you mean 'train'"):
        training.run().replay("trian")


def test_a_step_whose_inputs_were_never_made_is_not_found() -> None:
    said = "Step chance of run .* has no inputs to run on: step train, .*, has given nothing"
    with pytest.raises(NotFound, match=said):
        failed().replay("chance")


def test_a_step_whose_code_cannot_be_found_is_not_found() -> None:
    @step
    def inside() -> int:
        return 1

    @pipeline(progress=False)
    def hiding() -> int:
        return inside()

    with pytest.raises(NotFound, match="is not there"):
        hiding.run().replay("inside")


# Whether it gave the same.


def test_equal_outputs_are_equal_by_digest() -> None:
    again = training.run().replaying("load")
    assert again.compared(again.value()) == {"low": True, "high": True}


def test_another_value_is_another_output() -> None:
    again = training.run().replaying("chance")
    assert again.compared(again.value()) == {"output": False}


def test_files_are_compared_by_what_is_in_them() -> None:
    @pipeline(progress=False)
    def writing() -> Path:
        return write()

    again = writing.run().replaying("write")
    assert again.compared(again.value()) == {"output": True}


def test_a_cached_step_is_compared_with_what_the_cache_had() -> None:
    training.run()
    again = training.run().replaying("train")
    assert again.compared(again.value()) == {"output": True}


def test_a_step_without_a_result_is_compared_with_nothing() -> None:
    again = failed().replaying("train")
    assert again.compared(again.value()) == {}


def test_comparing_writes_nothing_to_the_store() -> None:
    again = training.run().replaying("chance")
    before = files()
    again.compared(again.value())
    assert files() == before


def test_a_step_that_is_what_it_was_has_not_changed() -> None:
    assert training.run().replaying("train").changed == ""


def test_what_has_changed_since_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    run = training.run()
    monkeypatch.setattr(chance, "function", lambda model: b"")
    assert run.replaying("chance").changed == "its code"
