"""Runs give what plain calls give, whatever the graph looks like."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from penstock.errors import CannotRun, UnsupportedValue, UntrustedArtifact

Made = Callable[..., Stack]


class Halves(NamedTuple):
    quotient: int
    rest: int


@step
def add(one: int, other: int) -> int:
    return (one + other) % 10_007


@step
def scale(value: int, by: int = 3) -> int:
    return value * by % 10_007


@step
def halve(value: int) -> Halves:
    return Halves(*divmod(value, 2))


@step
def ends(value: int) -> tuple[Annotated[int, "low"], Annotated[int, "high"]]:
    return value - 1, value + 1


@step
def total(values: list[int]) -> int:
    return sum(values) % 10_007


@step
def weigh(values: dict[str, Any], base: int = 0) -> int:
    return (base + sum(len(key) * value for key, value in values.items())) % 10_007


@step
async def later(value: int) -> int:
    return value + 5


Node = tuple[str, list[int]]

nodes = st.lists(
    st.tuples(
        st.sampled_from(["add", "scale", "halve", "ends", "total", "weigh", "map", "after"]),
        st.lists(st.integers(0, 1_000), min_size=3, max_size=3),
    ),
    min_size=1,
    max_size=12,
)


def woven(nodes: list[Node], start: int) -> list[Any]:
    """A pipeline's body: each node takes what some of those before it gave."""
    made: list[Any] = [start, scale.with_options(name="first")(start)]
    for kind, picks in nodes:
        one, two, three = (made[pick % len(made)] for pick in picks)
        match kind:
            case "add":
                made.append(add(one, two))
            case "scale":
                made.append(scale(one, by=picks[1]))
            case "halve":
                made += halve(one)
            case "ends":
                made += ends(one)
            case "total":
                made.append(total([one, 4, two, three]))
            case "weigh":
                made.append(weigh({"one": one, "two": 2, "three": three}, base=two))
            case "map":
                made += scale.map([one, two, three], by=2)
            case "after":
                made.append(add.after("first")(one, two))
    return made


@given(nodes, st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_a_run_gives_what_plain_calls_give_and_the_next_one_takes_it_from_the_cache(
    tmp_path_factory: pytest.TempPathFactory, nodes: list[Node], start: int
) -> None:
    @pipeline(progress=False)
    def weave(start: int) -> list[Any]:
        return woven(nodes, start)

    folder = tmp_path_factory.mktemp("store")
    digests = []
    for workers, place in ((8, "wide"), (1, "narrow"), (8, "wide")):
        stack = Stack(
            "s",
            orchestrator=LocalOrchestrator(max_workers=workers),
            artifact_store=LocalArtifactStore(path=str(folder / place)),
        )
        run = weave.on(stack).run(start)
        assert run.result() == weave(start)
        digests.append(
            {
                (view.id, name): made.artifact.digest
                for view in run
                for name, made in view.outputs.items()
            }
        )
    assert digests[0] == digests[1] == digests[2]
    assert {view.status for view in run} == {Status.CACHED}


def test_async_steps_give_what_awaiting_them_gives() -> None:
    @pipeline(progress=False)
    def both() -> list[int]:
        return [later(1), later(later(1))]

    assert both.run().result() == [6, 11]


def test_a_result_has_the_shape_of_the_return_value() -> None:
    @pipeline(progress=False)
    def shaped() -> Any:
        halves = halve(9)
        return {"halves": halves, "pair": (halves.rest, [ends(4), "text"])}

    assert shaped.run().result() == {"halves": (4, 1), "pair": (1, [(3, 5), "text"])}


def test_a_pipeline_that_returns_nothing_has_no_result() -> None:
    @pipeline(progress=False)
    def silent() -> None:
        scale(2)

    assert silent.run().result() is None


def test_a_pipeline_without_steps_runs() -> None:
    @pipeline(progress=False)
    def empty() -> int:
        return 4

    run = empty.run()
    assert (run.result(), run.status, dict(run.steps)) == (4, Status.COMPLETED, {})


# What a step receives.


@step
def make_list() -> list[int]:
    return [1, 2, 3]


@step
def spoil(values: list[int]) -> int:
    values.append(99)
    return len(values)


@step
def length(values: list[int]) -> int:
    return len(values)


@step
def hoard(values: list[int] = []) -> int:  # noqa: B006 - the point of the test
    values.append(1)
    return len(values)


def test_a_step_that_changes_its_input_changes_it_for_nobody_else() -> None:
    @pipeline(progress=False)
    def spoiling() -> list[int]:
        made = make_list()
        return [spoil(made), length.after("spoil")(made), spoil(made)]

    run = spoiling.run()
    assert run.result() == [4, 3, 4]
    assert run["make_list"].output.load() == [1, 2, 3]


def test_a_constant_that_a_step_changes_is_the_same_for_the_next_one() -> None:
    @pipeline(progress=False)
    def spoiling() -> list[int]:
        constant = [1]
        return [spoil(constant), spoil.with_options(cache=False)(constant), length(constant)]

    assert spoiling.run().result() == [2, 2, 1]


def test_a_mutable_default_is_new_for_every_call() -> None:
    @pipeline(progress=False, cache=False)
    def hoarding() -> list[int]:
        return [hoard(), hoard(), hoard()]

    assert hoarding.run().result() == [1, 1, 1]
    assert hoarding.run().result() == [1, 1, 1]


@step
def make_big() -> np.ndarray:
    return np.arange(300_000, dtype=np.int64)


@step
def zero(values: np.ndarray) -> int:
    values[:] = 0
    return int(values.sum())


@step
def total_of(values: np.ndarray) -> int:
    return int(values.sum())


def test_a_big_array_is_private_though_it_is_not_copied() -> None:
    @pipeline(progress=False)
    def spoiling() -> list[int]:
        made = make_big()
        return [zero(made), total_of.after("zero")(made)]

    run = spoiling.run()
    assert run.result() == [0, 299_999 * 150_000]
    assert int(run["make_big"].output.load()[-1]) == 299_999


# Arguments of run().


@dataclass
class Config:
    rate: float
    names: list[str]


class Limits(pydantic.BaseModel):
    most: int


@step
def rate_of(config: Config) -> float:
    return config.rate


@step
def anything(value: Any) -> str:
    return type(value).__name__


@step
def most_of(limits: Limits) -> int:
    return limits.most


@step
def rows_of(frame: pd.DataFrame) -> int:
    return len(frame)


@step
def applied(function: Callable[[int], int]) -> int:
    return function(20)


def twice(value: int) -> int:
    return 2 * value


def test_values_that_are_not_plain_data_are_stored_first() -> None:
    @pipeline(progress=False)
    def taking(frame: Any, array: Any, config: Config, limits: Limits, function: Any) -> list[Any]:
        return [
            rows_of(frame), total_of(array), rate_of(config), most_of(limits), applied(function),
        ]  # fmt: skip

    arguments = (
        pd.DataFrame({"a": [1, 2]}), np.arange(4), Config(0.5, ["a"]), Limits(most=7), twice,
    )  # fmt: skip
    run = taking.run(*arguments)
    assert run.result() == [2, 6, 0.5, 7, 40]
    assert {view.status for view in taking.run(*arguments)} == {Status.CACHED}
    assert run.record.parameters["config"] == "Config(rate=0.5, names=['a'])"


def test_one_value_can_go_to_a_parameter_with_annotation_and_to_one_without() -> None:
    @pipeline(progress=False)
    def taking(config: Config) -> list[Any]:
        return [rate_of(config), anything(config)]

    assert taking.run(Config(0.5, [])).result() == [0.5, "Config"]


def test_a_value_of_the_users_that_is_returned_comes_back() -> None:
    @pipeline(progress=False)
    def passing(config: Config) -> Any:
        return rate_of(config), config

    assert passing.run(Config(0.5, [])).result() == (0.5, Config(0.5, []))


def test_a_value_that_no_format_takes_is_refused_before_anything_runs() -> None:
    @pipeline(progress=False)
    def taking(value: Any) -> Any:
        scale(1)
        return anything(value)

    with pytest.raises(UnsupportedValue, match="The value of parameter 'value' of step anything"):
        taking.run(item for item in [1])
    assert Client().runs() == []


def test_long_plain_data_is_described_in_the_record_and_not_repeated() -> None:
    @pipeline(progress=False)
    def taking(values: list[int]) -> int:
        return length(values)

    run = taking.run(list(range(10_000)))
    assert run.result() == 10_000
    assert run.record.parameters["values"].startswith("a list of ")


def test_keys_beside_outputs_come_back_as_they_were() -> None:
    @step
    def keys(values: dict[Any, int]) -> list[str]:
        return sorted(map(repr, values))

    @pipeline(progress=False)
    def keyed() -> Any:
        return keys({("a", 1): scale(1), b"x": scale(2), 3: 4})

    assert keyed.run().result() == ["('a', 1)", "3", "b'x'"]


# Artifacts of earlier runs.


@step
def train() -> Config:
    return Config(0.25, ["x"])


@step
def make_function() -> Any:
    factor = 3
    return lambda value: factor * value


@pipeline(progress=False)
def training() -> Any:
    return train()


def test_an_artifact_is_bound_by_digest_with_its_lineage(stack: Made) -> None:
    @pipeline(progress=False)
    def using(config: Config) -> float:
        return rate_of(config)

    made = training.on(stack()).run()["train"].output
    run = using.on(stack()).run(made)
    assert run.result() == 0.25
    assert run.record.parameters["config"] == str(made)
    assert made.artifact.digest in run["rate_of"].record.parts


def test_an_artifact_of_another_store_is_copied(stack: Made, tmp_path: Path) -> None:
    @step
    def big() -> np.ndarray:
        return np.arange(10_000)

    @pipeline(progress=False)
    def making() -> Any:
        return big()

    @pipeline(progress=False)
    def using(values: Any) -> int:
        return total_of(values)

    other = Stack(
        "other",
        orchestrator=LocalOrchestrator(),
        artifact_store=LocalArtifactStore(path=str(tmp_path / "other")),
    )
    made = making.on(other).run()["big"].output
    assert using.on(stack()).run(made).result() == 49_995_000
    name = made.artifact.digest
    assert (tmp_path / "store" / "objects" / name[:2] / name).exists()


def test_an_artifact_may_stand_inside_a_list_beside_other_values(stack: Made) -> None:
    @pipeline(progress=False)
    def using(values: list[int]) -> int:
        return total(values)

    @pipeline(progress=False)
    def making() -> int:
        return scale(5)

    made = making.on(stack()).run()["scale"].output
    assert using.on(stack()).run([1, made]).result() == 16


def test_a_pickle_of_a_stranger_is_not_loaded_as_an_argument(
    stack: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @pipeline(progress=False)
    def making() -> Any:
        return make_function()

    @pipeline(progress=False)
    def using(function: Any) -> int:
        return applied(function)

    monkeypatch.setenv("HOME", str(tmp_path / "stranger"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "stranger"))
    theirs = making.on(stack()).run().id
    monkeypatch.setenv("HOME", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    made = Client(stack()).run(theirs)["make_function"].output
    with pytest.raises(RunFailed) as caught:
        using.on(stack()).run(made)
    assert isinstance(caught.value.__cause__, UntrustedArtifact)


# Before anything runs.


def test_what_a_stack_cannot_do_is_said_at_once(
    stack: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    @step(step_operator="gpu", secrets=["DB_URL"], settings={"local": {"colour": "red"}})
    def asking() -> int:
        return 1

    @pipeline(progress=False, settings={"elsewhere": {"anything": 1}})
    def wanting() -> int:
        return asking()

    monkeypatch.delenv("DB_URL", raising=False)
    with pytest.raises(CannotRun) as caught:
        wanting.on(stack()).run()
    line = next(
        number
        for number, text in enumerate(Path(__file__).read_text().splitlines(), 1)
        if text.strip() == "return asking()"
    )
    who = f"step asking ({__file__}:{line})"
    assert str(caught.value) == (
        "Pipeline 'wanting' cannot run on the stack 'here' (given to on()):\n"
        f"  {who} asks for the step operator 'gpu'; the stack has none\n"
        f"  {who} has the setting 'colour' for the flavor 'local', which knows none\n"
        f"  {who} needs the secret 'DB_URL': it is neither in the environment nor among the "
        "secrets of the stack 'here'. Type: export DB_URL=…"
    )


def test_settings_for_flavors_that_are_not_in_the_stack_are_for_other_stacks(stack: Made) -> None:
    @step(settings={"kubeflow": {"node_selector": {"pool": "a"}}})
    def tuned() -> int:
        return 1

    @pipeline(progress=False)
    def tuning() -> int:
        return tuned()

    assert tuning.on(stack()).run().result() == 1


def test_a_secret_that_is_there_is_enough(stack: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    @step(secrets=["DB_URL"])
    def asking() -> str:
        return os.environ["DB_URL"]

    @pipeline(progress=False)
    def wanting() -> str:
        return asking()

    monkeypatch.setenv("DB_URL", "db://here")
    assert wanting.on(stack()).run().result() == "db://here"


# Hooks.


def test_hooks_are_called_with_the_run_in_order() -> None:
    heard: list[str] = []

    @pipeline(
        progress=False,
        on_start=lambda run: heard.append(f"start {run.id}"),
        on_success=lambda run: heard.append(f"success {run.status}"),
        on_failure=lambda run: heard.append("failure"),
    )
    def hooked() -> int:
        return scale(1)

    run = hooked.run()
    assert heard == [f"start {run.id}", "success completed"]


def test_a_failed_run_calls_its_failure_hook() -> None:
    heard: list[str] = []

    @step
    def broken() -> int:
        raise ValueError("no")

    @pipeline(progress=False, on_failure=lambda run: heard.append(run["broken"].status))
    def hooked() -> int:
        return broken()

    with pytest.raises(RunFailed):
        hooked.run()
    assert heard == ["failed"]


def test_a_hook_that_raises_is_reported_and_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def notify(run: object) -> None:
        raise OSError("no mail today")

    @pipeline(on_start=notify, on_success=notify)
    def hooked() -> int:
        return scale(1)

    assert hooked.run().status is Status.COMPLETED
    notes = [line for line in capsys.readouterr().err.splitlines() if "note:" in line]
    assert len(notes) == 2
    assert all("the hook notify (" in note and "OSError: no mail today" in note for note in notes)


def test_a_hook_that_is_interrupted_leaves_a_stopped_run() -> None:
    def notify(run: object) -> None:
        raise KeyboardInterrupt

    @pipeline(progress=False, on_start=notify)
    def hooked() -> int:
        return scale(1)

    with pytest.raises(KeyboardInterrupt):
        hooked.run()
    assert Client().run("last").status is Status.STOPPED


# Where runs may start.


def test_runs_may_overlap_in_threads(stack: Made) -> None:
    meeting = threading.Barrier(2)
    results: list[int] = []

    @step(cache=False)
    def met(value: int) -> int:
        meeting.wait(120)
        return value

    @pipeline(progress=False)
    def meet(value: int) -> int:
        return met(value)

    threads = [
        threading.Thread(target=lambda n=n: results.append(meet.on(stack()).run(n).result()))
        for n in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [1, 2]


def test_a_step_may_run_another_pipeline(stack: Made) -> None:
    here = stack()

    @pipeline(progress=False)
    def inner(value: int) -> int:
        return scale(value)

    @step
    def outer(value: int) -> int:
        return inner.on(here).run(value).result()

    @pipeline(progress=False)
    def nested() -> int:
        return outer(5)

    assert nested.on(here).run().result() == 15
