"""Nesting: no DAG is too large, nothing starts too early, and little waits in vain."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from drawn_jobs import Pod, compiled, dags, job, pods
from hypothesis import given, settings
from hypothesis import strategies as st
from large_graphs import apart, chain, wide

from penstock import pipeline, step
from penstock.errors import CannotRun
from penstock.model.graph import Graph
from penstock_kubeflow import nesting
from penstock_kubeflow.compiling import Compiled
from penstock_kubeflow.nesting import Node, nested

ARGUMENT = 128 * 1024
"""Bytes that Linux takes for one argument."""


def text(dag: Any) -> str:
    """What the driver is given: as Go writes JSON, which escapes more than Python does."""
    said = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode(dag)
    return said.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def escaped(dag: Any) -> int:
    """Bytes of it as a text in a text, as Argo keeps it in a template."""
    return len(json.JSONEncoder(ensure_ascii=False).encode(text(dag)).encode())


def above(graph: Graph) -> dict[str, set[str]]:
    """All that must be done before each call."""
    found: dict[str, set[str]] = {}
    for id, call in graph.calls.items():
        found[id] = set(call.upstream).union(*(found[up] for up in call.upstream))
    return found


def checked(graph: Graph, found: dict[str, Pod]) -> None:
    assert set(found) == set(graph.calls)
    for id, needed in above(graph).items():
        assert found[id].before >= needed


@pytest.mark.parametrize(
    "graph",
    [
        chain.graph(length=1000),
        wide.graph(width=800),
        apart.graph(chains=300, length=3),
        apart.graph(chains=2, length=500),
        wide.with_options(name="p").graph(width=5),
    ],
    ids=["chain", "wide", "short chains", "long chains", "small"],
)
def test_each_dag_fits_into_one_argument_and_all_is_in_order(graph: Graph) -> None:
    made = compiled(graph)
    assert max(escaped(dag) for dag in dags(made)) < ARGUMENT - 8 * 1024
    checked(graph, pods(made))


def test_a_pipeline_that_forgets_what_a_step_needs_is_noticed() -> None:
    graph = chain.graph(length=3)
    made = compiled(graph)
    tasks = dict(made.spec["root"]["dag"]["tasks"])
    tasks["double"] = {k: v for k, v in tasks["double"].items() if k != "dependentTasks"}
    root = {**made.spec["root"], "dag": {"tasks": tasks}}
    with pytest.raises(AssertionError):
        checked(graph, pods(Compiled({**made.spec, "root": root}, {})))


def test_a_graph_that_fits_stays_one_dag() -> None:
    assert len(list(dags(compiled(chain.graph(length=200))))) == 1


def test_parts_that_have_nothing_to_do_with_each_other_do_not_wait_for_each_other() -> None:
    graph = apart.graph(chains=4, length=200)
    assert {id: set(pod.before) for id, pod in pods(compiled(graph)).items()} == above(graph)


def test_a_long_chain_waits_for_nothing_in_vain() -> None:
    graph = chain.graph(length=1000)
    assert {id: set(pod.before) for id, pod in pods(compiled(graph)).items()} == above(graph)


def test_chains_that_come_from_one_step_are_put_side_by_side() -> None:
    nodes = [Node("first", frozenset(), 10)]
    for i in range(30):
        nodes += [
            Node(f"a{i}", frozenset(["first"]), 100),
            Node(f"b{i}", frozenset([f"a{i}"]), 100),
        ]
    made = nested(nodes, dag, limit=1000)
    assert made[0].key == "first"
    assert all(node.upstream <= {"first"} for node in made)


def dag(nodes: Any, upstream: frozenset[str]) -> Node:
    return Node(f"[{nodes[0].key}]", upstream, 40, tuple(nodes))


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Up to sixty nodes of all sizes, which need any of those before them."""
    count = draw(st.integers(1, 60))
    nodes: list[Node] = []
    for i in range(count):
        near = [node.key for node in nodes[-6:]]
        up = draw(st.sets(st.sampled_from(near), max_size=3)) if near else set()
        nodes.append(Node(f"n{i}", frozenset(up), draw(st.integers(20, 120))))
    return draw(st.permutations(nodes))


@given(nodes=graphs(), limit=st.integers(320, 1500))
@settings(max_examples=50, deadline=None)
def test_any_graph_is_cut_into_dags_within_the_limit_that_keep_its_order(
    nodes: list[Node], limit: int
) -> None:
    made = nested(nodes, dag, limit)
    assert held(made, limit) == []
    found = order(made)
    assert sorted(found) == sorted(node.key for node in nodes)
    for node in nodes:
        assert all(up in found[node.key] for up in node.upstream)


def test_a_cut_that_forgets_an_edge_is_noticed() -> None:
    nodes = [Node(f"n{i}", frozenset([f"n{i - 1}"] if i else []), 100) for i in range(20)]

    def careless(nodes: Any, upstream: frozenset[str]) -> Node:
        return Node(f"[{nodes[0].key}]", frozenset(), 40, tuple(nodes))

    found = order(nested(nodes, careless, 500))
    assert any(up not in found[node.key] for node in nodes for up in node.upstream)


def held(nodes: Any, limit: int) -> list[str]:
    """What is over the limit, at any level."""
    over = [f"{len(nodes)} nodes"] if nesting.weight(nodes) > limit else []
    return over + [each for node in nodes if node.inside for each in held(node.inside, limit)]


def order(nodes: Any, before: frozenset[str] = frozenset()) -> dict[str, frozenset[str]]:
    """What has ended before each node that is no DAG."""
    found: dict[str, frozenset[str]] = {}
    ended: dict[str, frozenset[str]] = {}
    beside = {node.key for node in nodes}
    for node in nesting.in_order(nodes):
        earlier = before.union(*(ended[up] for up in node.upstream & beside))
        inside = order(node.inside, earlier) if node.inside else {node.key: earlier}
        found |= inside
        ended[node.key] = earlier.union(inside)
    return found


def test_several_levels_are_made_where_one_is_not_enough() -> None:
    nodes = [Node(f"n{i}", frozenset(), 100) for i in range(200)]
    made = nested(nodes, dag, limit=400)
    assert held(made, 400) == []
    assert any(inner.inside for node in made for inner in node.inside)


def test_a_step_that_needs_too_many_is_refused_with_its_size() -> None:
    nodes = [Node(f"n{i}", frozenset(), 100) for i in range(5)] + [Node("huge", frozenset(), 5000)]
    with pytest.raises(CannotRun, match=r"Step huge takes 5,000 bytes .* at most 1,000"):
        nested(nodes, dag, limit=1000)


def test_more_than_one_object_of_kubernetes_takes_is_refused_with_its_size() -> None:
    with pytest.raises(CannotRun, match=r"2,000 pods.*etcd takes 1,500,000 at most") as caught:
        compiled(chain.graph(length=2000))
    assert "Use .map()" in str(caught.value)


@step
def one_of(number: int) -> int:
    return number


@pipeline
def many(width: int) -> list[int]:
    return one_of.map(list(range(width)))


def test_a_map_of_any_width_is_a_handful_of_pods() -> None:
    assert len(pods(compiled(many.graph(width=5000)))) == 4


@given(data=st.data(), count=st.integers(1, 25))
@settings(max_examples=30, deadline=None)
def test_any_pipeline_keeps_its_order_its_names_and_its_limits(
    data: st.DataObject, count: int
) -> None:
    cores = [data.draw(st.sampled_from([None, 0.5, 2.0])) for _ in range(count)]
    needs = [
        data.draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set() for i in range(count)
    ]

    @pipeline
    def drawn() -> None:
        made: list[int] = []
        for cpu, up in zip(cores, needs, strict=True):
            own = {"kubeflow": {"cpu": cpu}} if cpu else {}
            made.append(gathered.with_options(settings=own)([made[i] for i in sorted(up)]))

    graph = drawn.graph()
    found = pods(compiled(job(graph, ends=data.draw(st.booleans()))))
    found.pop("--end", None)
    assert {id: set(pod.before) for id, pod in found.items()} == above(graph)
    for (id, pod), cpu in zip(
        sorted(found.items(), key=lambda i: list(graph.calls).index(i[0])), cores, strict=True
    ):
        assert pod.container.resources.cpu_limit == (cpu or 0), id


@step
def gathered(numbers: list[int]) -> int:
    return len(numbers)


def test_three_hundred_steps_compile_in_a_blink_and_a_thousand_in_three() -> None:
    spent = {}
    for length in (300, 1000):
        drawn = job(chain.graph(length=length))
        compiled(drawn)
        began = time.process_time()
        compiled(drawn)
        spent[length] = time.process_time() - began
    assert spent[300] < 0.06 * 3  # of a machine that is three times slower than usual
    assert spent[1000] < 0.2 * 3
