"""Parts of pipelines with conditions: what is taken is what one whole run would give."""

import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import LocalArtifactStore, LocalOrchestrator, Stack, Status, pipeline, step
from penstock.api.pipeline import Pipeline
from penstock.errors import NotFound


@step
def flag(x: int) -> bool:
    return x > 2


@step
def yes(x: int) -> int:
    return x * 10


@step
def no(x: int) -> int:
    return -x


@step
def items(x: int) -> list[int]:
    return [1] * x


@step
def per(i: int) -> int:
    return i + 1


@step
def join(a: int | None, b: int | None, c: list[int | None]) -> str:
    return f"{a} {b} {c}"


@step
def sure(a: int) -> int:
    return a


def conditional(asked: Any = flag, **options: Any) -> Pipeline[..., Any]:
    @pipeline(progress=False)
    def cond(x: int = 1) -> Any:
        f = asked(x)
        return join(yes.when(f)(x), no.unless(f)(x), per.when(f).map(items(x)))

    return cond.with_options(**options)


@pytest.fixture
def both() -> None:
    """A whole run in which the condition held, and then one in which it did not."""
    assert conditional().run(x=3).result() == "30 None [2, 2, 2]"
    assert conditional().run(x=1).result() == "None -1 [None]"


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("resume", [{}, {"resume": "last"}], ids=["anew", "resumed"])
def test_a_step_that_would_be_skipped_gives_none(resume: dict[str, str]) -> None:
    assert conditional(only="join", **resume).run(x=1).result() == "None -1 [None]"


@pytest.mark.usefixtures("both")
def test_a_step_that_would_not_be_skipped_gives_its_value() -> None:
    assert conditional(only="join").run(x=3).result() == "30 None [2, 2, 2]"


@pytest.mark.usefixtures("both")
def test_from_a_step_that_is_skipped_the_rest_is_skipped_too() -> None:
    run = conditional(from_step="yes").run(x=1)
    assert run["yes"].status is Status.SKIPPED
    assert run.result() == "None -1 [None]"


@pytest.mark.usefixtures("both")
def test_the_part_leaves_nothing_in_the_cache_that_a_whole_run_would_not() -> None:
    conditional(only="join").run(x=1)
    whole = conditional().run(x=1)
    assert whole["join"].status is Status.CACHED
    assert whole.result() == "None -1 [None]"


@pytest.mark.usefixtures("both")
def test_a_step_alone_says_why_it_is_skipped() -> None:
    run = conditional(only="yes").run(x=1)
    assert run["yes"].status is Status.SKIPPED
    assert run["yes"].record.why == "output of flag is False"


@pytest.mark.usefixtures("both")
def test_a_map_alone_is_skipped_item_by_item() -> None:
    run = conditional(only="per").run(x=1)
    assert run.steps["per"].status is Status.SKIPPED
    assert run.steps["per"].output.load() == [None]


def test_a_condition_that_nobody_knows_takes_all_from_one_run() -> None:
    unknown = flag.with_options(cache=False)
    conditional(unknown).run(x=3)
    conditional(unknown, to_step="no").run(x=1)  # has `no`, and neither `yes` nor `per`
    taken = conditional(unknown, only="join").run(x=3)
    assert taken.result() == "30 None [2, 2, 2]"


def test_what_was_skipped_is_not_taken_from_an_older_run() -> None:
    unknown = flag.with_options(cache=False)
    conditional(unknown).run(x=3)
    conditional(unknown, to_step="yes").run(x=1)  # in which `yes` is skipped
    with pytest.raises(NotFound, match="one condition decides which of them run") as error:
        conditional(unknown, only="join").run(x=1)
    assert "--to join" in str(error.value)


def test_what_was_skipped_is_taken_as_none_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    unknown = flag.with_options(cache=False)
    conditional(unknown).run(x=3)
    before = conditional(unknown).run(x=1)
    run = conditional(unknown, only="join", progress=True).run(x=1)
    assert run.result() == "None -1 [None]"
    assert f"yes is taken from run {before.id}, where it was skipped" in capsys.readouterr().err


def test_a_step_that_runs_now_is_not_taken_as_skipped() -> None:
    uncached = yes.with_options(cache=False)

    @pipeline(progress=False)
    def cond(x: int = 1) -> Any:
        f = flag(x)
        return join(uncached.when(f)(x), no.unless(f)(x), per.when(f).map(items(x)))

    cond.run(x=3)
    cond.run(x=1)
    assert cond.with_options(only="join").run(x=3).result() == "30 None [2, 2, 2]"


def test_what_cannot_be_none_is_skipped_where_its_input_was() -> None:
    @pipeline(progress=False)
    def strict(x: int = 1) -> Any:
        return sure(yes.when(flag(x))(x))

    strict.run(x=3)
    strict.run(x=1)
    run = strict.with_options(only="sure").run(x=1)
    assert run["sure"].status is Status.SKIPPED
    assert run["sure"].record.why == "yes was skipped"


def test_results_of_several_runs_are_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (each.with_options(cache=False) for each in (yes, no))

    @pipeline
    def several(x: int = 1) -> Any:
        return join(first(x), second(x), items(x))

    one = several.with_options(to_step="yes").run()
    two = several.with_options(to_step="no").run()
    several.with_options(to_step="items").run()
    capsys.readouterr()
    several.with_options(only="join").run()
    assert f"several runs, none has all of it: yes of {one.id}; no of {two.id}" in (
        capsys.readouterr().err
    )


def test_one_run_that_has_all_counts_before_newer_ones_that_have_some(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = (each.with_options(cache=False) for each in (yes, no))

    @pipeline
    def several(x: int = 1) -> Any:
        return join(first(x), second(x), items(x))

    whole = several.run()
    several.with_options(to_step="yes").run()
    capsys.readouterr()
    several.with_options(only="join").run()
    said = capsys.readouterr().err
    assert f"yes is taken from run {whole.id}" in said
    assert f"no is taken from run {whole.id}" in said


def test_a_step_that_was_skipped_cannot_be_run_again() -> None:
    run = conditional().run(x=1)
    for name in ("yes", "per"):
        with pytest.raises(NotFound, match="it was skipped there, because output of flag is False"):
            run.replay(name)


def test_a_map_without_items_cannot_be_run_again() -> None:
    @pipeline(progress=False)
    def lists(x: int) -> Any:
        return per.map(items(x))

    with pytest.raises(NotFound, match=r"Step per of run .* is a map, and no item of it is named"):
        lists.run(x=0).replay("per")


@step
def source(x: int, place: int) -> int:
    return x + place


@step
def odd(a: int | None) -> bool:
    return a is not None and a % 2 == 1


@step
def strict(a: int, b: int | None) -> int:
    return a * 3 + (b or 0)


@step
def lenient(a: int | None, b: int | None) -> int:
    return (a or 7) * 5 + (b or 11)


_node = st.tuples(
    st.sampled_from(["strict", "lenient"]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.tuples(st.integers(0, 9), st.booleans()) | st.none(),
)
_stores = itertools.count()


def drawn(nodes: list[Any]) -> Pipeline[..., Any]:
    """A graph in which each node takes two of those before it, and may depend on a third."""

    @pipeline(progress=False)
    def random_graph(x: int) -> Any:
        made: list[Any] = [source(x, 0), source(x, 1)]
        for kind, a, b, condition in nodes:
            one: Any = {"strict": strict, "lenient": lenient}[kind]
            if condition is not None:
                wanted = odd(made[condition[0] % len(made)])
                one = one.when(wanted) if condition[1] else one.unless(wanted)
            made.append(one(made[a % len(made)], made[b % len(made)]))
        return made[-1]

    return random_graph


@settings(max_examples=25, deadline=None)
@given(
    nodes=st.lists(_node, min_size=3, max_size=6),
    x=st.integers(0, 3),
    place=st.integers(0, 1),
    forgotten=st.booleans(),
)
def test_a_step_alone_gives_what_the_whole_pipeline_would(
    tmp_path_factory: pytest.TempPathFactory,
    nodes: Any,
    x: int,
    place: int,
    forgotten: bool,
) -> None:
    folder: Path = tmp_path_factory.mktemp(f"store{next(_stores)}")
    stack = Stack(
        "random", orchestrator=LocalOrchestrator(max_workers=1),
        artifact_store=LocalArtifactStore(path=str(folder)),
    )  # fmt: skip
    graph = drawn(nodes).on(stack)
    for each in (x + 1, x):  # what is odd is even in the other
        graph.run(x=each)
    whole = graph.with_options(cache=False).run(x=x)
    if forgotten:  # then all is taken from the newest run
        shutil.rmtree(folder / "cache")
    else:
        graph.run(x=x + 1)
    last = [each for each in whole.steps if not each.startswith(("odd", "source"))][-2:]
    only = last[place % len(last)]
    alone = graph.with_options(only=only).run(x=x).steps[only]
    assert alone.output.load() == whole.steps[only].output.load()
    assert (alone.status is Status.SKIPPED) is (whole.steps[only].status is Status.SKIPPED)
