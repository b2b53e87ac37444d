"""Graphs and plans: order, edges, what networkx and Mermaid see, and the way through bytes."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock import Graph, LocalOrchestrator, Resources, Stack, pipeline, step
from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.values import Values
from penstock.model.binding import Given, Group, Held, Use, uses
from penstock.model.controls import Controls
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Artifact
from penstock.model.step import Step
from penstock.runtime import loading, planner
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.planner import settled


@step
def load() -> tuple[int, int]:
    return 1, 2


@step
def train(x: Any, y: Any = None) -> Any:
    return x


@step
def report(models: Any) -> str:
    return ""


@pipeline
def main(n: int) -> Any:
    left, right = load()
    models = train.map([left, right], y=left)
    late = train.after("report").with_options(name="late")(1)
    return {"report": report(models), "late": late, "n": n}


def test_a_graph_is_in_an_order_in_which_it_can_run() -> None:
    assert list(main.graph(1).calls) == ["load", "train.0", "train.1", "report", "late"]


def test_the_dag_is_a_networkx_graph_whose_nodes_carry_the_calls() -> None:
    graph = main.graph(1)

    assert type(graph.dag) is nx.DiGraph
    assert graph.dag.name == "main"
    assert dict(graph.dag.nodes(data="call")) == dict(graph.calls)
    assert set(graph.dag.edges) == {
        ("load", "train.0"),
        ("load", "train.1"),
        ("train.0", "report"),
        ("train.1", "report"),
        ("report", "late"),
    }
    assert graph.dag is graph.dag


def test_edges_are_labelled_with_the_parameter() -> None:
    assert set(main.graph(1).edges()) == {
        ("load", "train.0", "x"),
        ("load", "train.0", "y"),
        ("load", "train.1", "x"),
        ("load", "train.1", "y"),
        ("train.0", "report", "models"),
        ("train.1", "report", "models"),
        ("report", "late", ""),
    }


def test_a_graph_as_mermaid() -> None:
    assert main.graph(1).to_mermaid() == (
        "flowchart TD\n"
        '    s0["load"]\n'
        '    s1["train.0"]\n'
        '    s2["train.1"]\n'
        '    s3["report"]\n'
        '    s4["late"]\n'
        "    s0 -->|x| s1\n"
        "    s0 -->|y| s1\n"
        "    s0 -->|x| s2\n"
        "    s0 -->|y| s2\n"
        "    s1 -->|models| s3\n"
        "    s2 -->|models| s3\n"
        "    s3 -.-> s4\n"
    )


def test_a_pipeline_without_steps_has_an_empty_graph() -> None:
    @pipeline
    def nothing() -> None: ...

    graph = nothing.graph()
    assert (dict(graph.calls), graph.result) == ({}, None)
    assert len(graph.dag) == 0
    assert graph.to_mermaid() == "flowchart TD\n"


# A random program, and what a graph of it must be.

scalars: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
keys: Any = st.text() | st.integers() | st.tuples(st.booleans(), st.text())
earlier: Any = st.integers(0, 30).map(lambda number: ("output", number))
"""The number of an earlier call, counted round."""
arguments: Any = st.recursive(
    scalars | earlier,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.lists(inside, max_size=3).map(tuple)
        | st.dictionaries(keys, inside, max_size=3)
    ),
    max_leaves=6,
)
options: Any = st.fixed_dictionaries(
    {},
    optional={
        "cache": st.booleans(),
        "retries": st.integers(0, 3),
        "version": st.text(),
        "timeout": st.floats(0.1, 9),
        "resources": st.builds(Resources, cpu=st.floats(0.1, 9), gpu=st.none() | st.integers(0, 2)),
        "settings": st.just({"flavor": {"a": {"b": (1, None)}}}),
        "secrets": st.lists(st.from_regex(r"[^\s=\0]+", fullmatch=True), max_size=2),
    },
)
lines: Any = st.tuples(arguments, arguments, st.lists(st.integers(0, 30), max_size=2), options)


def is_output(argument: Any) -> bool:
    return type(argument) is tuple and argument[:1] == ("output",)


def filled(argument: Any, refs: list[Any]) -> tuple[Any, set[int]]:
    """The argument with references in it, and the numbers of the calls that it uses."""
    if is_output(argument):
        number = argument[1] % len(refs) if refs else None
        return (None, set()) if number is None else (refs[number], {number})
    if isinstance(argument, dict):
        parts = [filled(item, refs) for item in argument.values()]
        value: Any = dict(zip(argument, (part for part, _ in parts), strict=True))
    elif isinstance(argument, list | tuple):
        parts = [filled(item, refs) for item in argument]
        value = type(argument)(part for part, _ in parts)
    else:
        return argument, set()
    return value, set().union(*(used for _, used in parts))


def drawn(program: list[Any], *, by_name: bool) -> tuple[Graph, dict[str, set[str]]]:
    """The graph of a program, and which calls each call needs, by a model of drawing."""
    needed: dict[str, set[str]] = {}

    @pipeline
    def random() -> Any:
        refs: list[Any] = []
        for number, (x, y, after, changed) in enumerate(program):
            name = f"train-{number + 1}" if number else "train"
            (given_x, used_x), (given_y, used_y) = filled(x, refs), filled(y, refs)
            before = {other % len(refs) for other in after} if refs else set()
            known = list(needed)
            needed[name] = {known[item] for item in used_x | used_y | before}
            others = [known[item] if by_name else refs[item] for item in before]
            refs.append(train.with_options(**changed).after(*others)(given_x, y=given_y))
        return refs

    return random.graph(), needed


@given(st.lists(lines, max_size=12), st.booleans())
def test_a_random_program_draws_the_graph_of_its_model(program: list[Any], by_name: bool) -> None:
    graph, needed = drawn(program, by_name=by_name)

    assert {id: set(call.upstream) for id, call in graph.calls.items()} == needed
    seen: set[str] = set()
    for id, call in graph.calls.items():
        assert call.upstream <= seen
        seen.add(id)
    assert set(graph.dag.edges) == {(up, id) for id, ups in needed.items() for up in ups}
    assert {(up, down) for up, down, _ in graph.edges()} == set(graph.dag.edges)
    assert graph.result is None or [use.call for use in uses(graph.result)] == list(needed)


def plan_of(graph: Graph, store: LocalArtifactStore) -> Plan:
    values = Values(store, Fingerprints().of_names)
    return Plan(
        "run",
        settled(graph, values, Fingerprints().canonical),
        "module:main",
        {"name": "default"},
        frozenset({"b"}),
    )


def found(reference: str) -> Step[..., Any]:
    assert reference == train.reference
    return train


def seen(call: Call) -> Any:
    """A call as far as a plan holds it."""
    return (call.id, call.step.reference, call.step.options, call.bindings, call.after)


@given(st.lists(lines, max_size=8), st.booleans())
def test_a_plan_comes_back_from_its_bytes(program: list[Any], by_name: bool) -> None:
    plan = plan_of(drawn(program, by_name=by_name)[0], LocalArtifactStore())

    back = Plan.from_bytes(plan.to_bytes(), "run", found)

    assert list(map(seen, back.graph.calls.values())) == [
        (id, ref, as_plain(options), bindings, after)
        for id, ref, options, bindings, after in map(seen, plan.graph.calls.values())
    ]
    assert back.graph.result == plan.graph.result
    assert (back.run, back.graph.name, back.reference, back.stack, back.uncached) == (
        plan.run, plan.graph.name, plan.reference, plan.stack, plan.uncached,
    )  # fmt: skip
    assert back.to_bytes() == plan.to_bytes()


def as_plain(options: Any) -> Any:
    return replace(options, settings=options.settings and {**options.settings})


def test_a_plan_keeps_what_each_call_may_take_from_the_cache() -> None:
    short = train.with_options(cache_for=timedelta(hours=1))

    @pipeline
    def drawn() -> Any:
        return [short(1), train.with_options(refresh=True)(2), train.with_options(cache=False)(3)]

    stack = Stack("s", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore())
    values = Values(stack.artifact_store, Fingerprints().of_names)
    controls = Controls(cache_for=7200.0)
    plan = planner.plan(
        "run", drawn.graph(), "module:drawn", stack, controls, values, Fingerprints().canonical
    )
    back = Plan.from_bytes(plan.to_bytes(), "run", found)

    assert [back.controls(call) for call in back.graph.calls.values()] == [
        Controls(cache_for=3600.0),
        Controls(refresh=True, cache_for=7200.0),
        Controls(cache=False, cache_for=7200.0),
    ]


def test_a_plan_says_nothing_of_the_cache_unless_somebody_does() -> None:
    plan = plan_of(main.graph(1), LocalArtifactStore())

    assert not {"refreshed", "cache_for"} & json.loads(plan.to_bytes()).keys()
    assert not any(plan.controls(call) for call in plan.graph.calls.values())


def test_a_plan_names_no_run() -> None:
    plan = plan_of(main.graph(1), LocalArtifactStore())

    assert replace(plan, run="another").to_bytes() == plan.to_bytes()


def test_a_value_that_is_not_plain_is_in_the_plan_by_its_digest_and_stored_once() -> None:
    rows = np.arange(5000)

    @pipeline
    def drawn() -> Any:
        return train(rows, y=[train(1), rows])

    plan = plan_of(drawn.graph(), LocalArtifactStore())

    held = plan.graph.calls["train-2"].bindings["x"]
    assert isinstance(held, Held)
    assert plan.graph.calls["train-2"].bindings["y"] == Group(
        "list", (Use("train", "output"), held)
    )
    assert held.artifact.digest.encode() in plan.to_bytes()
    assert len(plan.to_bytes()) < 1500


def test_a_plan_finds_its_steps_by_their_names_only() -> None:
    plan = plan_of(main.graph(1), LocalArtifactStore())
    asked: list[str] = []

    def find(reference: str) -> Step[..., Any]:
        asked.append(reference)
        return loading.find_step(reference)

    back = Plan.from_bytes(plan.to_bytes(), "run", find)

    assert set(asked) == {load.reference, train.reference, report.reference}
    assert back.graph.calls["load"].step.function is load.function
    assert back.graph.calls["late"].step.name == "late"


def test_the_calls_of_a_plan_bind_uses_groups_and_values() -> None:
    held = Artifact("npy/1", "0" * 64, 7)
    graph = main.graph(1)
    bindings = {"x": Use("load", "output_0"), "y": Group("tuple", (Given(held),))}

    changed = graph.calls["train.0"].with_bindings(bindings)

    assert changed.upstream == {"load"}
    assert (changed.id, changed.after, changed.where) == (
        "train.0",
        (),
        graph.calls["train.0"].where,
    )
