"""The graph of a pipeline: its calls, and which needs which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from penstock.errors import BadGraph
from penstock.lazy import lazy
from penstock.model.binding import Binding, uses
from penstock.model.step import Step

if TYPE_CHECKING:
    import networkx as nx

    from penstock.pictures import notebook
else:
    notebook = lazy("penstock.pictures.notebook")  # only where somebody looks


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a step: a node of the graph."""

    id: str
    step: Step[..., Any]
    bindings: Mapping[str, Binding]
    """Where the value of each parameter comes from."""
    after: tuple[str, ...] = ()
    """Calls that must be done before, without giving anything."""
    line: str = ""
    """`file:line` of the call."""
    item: bool = False
    """Whether it is one of the calls that a `map` made."""
    told: str = ""
    """Where the configuration of the run says something of it: `file:line:column`."""
    upstream: frozenset[str] = field(init=False, compare=False)
    """Calls that must be done before this one."""

    def __post_init__(self) -> None:
        found = {use.call for binding in self.bindings.values() for use in uses(binding)}
        object.__setattr__(self, "upstream", frozenset(found.union(self.after)))

    @property
    def where(self) -> str:
        """All places that have asked for what it is: the call, and what the run was told of it."""
        return f"{self.line}; {self.told}" if self.told else self.line

    def with_bindings(self, bindings: Mapping[str, Binding]) -> Call:
        """The same call, its parameters bound otherwise."""
        return Call(self.id, self.step, bindings, self.after, self.line, self.item, self.told)

    def with_step(self, step: Step[..., Any], told: str = "") -> Call:
        """The same call of another step, or of the same with other options."""
        return Call(
            self.id, step, self.bindings, self.after, self.line, self.item, told or self.told
        )


@dataclass(frozen=True)
class Graph:
    """Calls in an order in which they can run, and what the pipeline returns."""

    name: str
    calls: Mapping[str, Call]
    result: Binding | None = None

    @cached_property
    def dag(self) -> nx.DiGraph[str]:
        """The graph as networkx sees it; each node carries its `call`.

        The only place where penstock imports networkx: it costs more than a whole small run.
        """
        import networkx as nx

        dag: nx.DiGraph[str] = nx.DiGraph(name=self.name)
        for call in self.calls.values():
            dag.add_node(call.id, call=call)
        dag.add_edges_from(
            (up, call.id) for call in self.calls.values() for up in sorted(call.upstream)
        )
        return dag

    def edges(self) -> Iterator[tuple[str, str, str]]:
        """(from, to, label) of each edge; the label is the parameter, empty for `after`."""
        for call in self.calls.values():
            named = {
                (use.call, name) for name, binding in call.bindings.items() for use in uses(binding)
            }
            for up, name in sorted(named):
                yield up, call.id, name
            for up in sorted(set(call.after) - {up for up, _ in named}):
                yield up, call.id, ""

    def to_mermaid(self) -> str:
        """The graph in the text form that Markdown viewers draw (mermaid.js.org)."""
        number = {call: f"s{i}" for i, call in enumerate(self.calls)}
        lines = ["flowchart TD"]
        lines += [f'    {number[call]}["{call}"]' for call in self.calls]
        for up, down, label in self.edges():
            arrow = f"-->|{label}|" if label else "-.->"
            lines.append(f"    {number[up]} {arrow} {number[down]}")
        return "\n".join(lines) + "\n"

    def to_svg(self) -> str:
        """The graph as a picture that any browser shows: one SVG element, left to right."""
        return notebook.of_steps(self.name, self.calls, self.edges())

    def _repr_html_(self) -> str | None:
        return notebook.graph(self.name, self.calls, self.edges())


def in_order(name: str, calls: Mapping[str, Call]) -> dict[str, Call]:
    """The calls sorted so that each comes after what it needs. Raises `BadGraph` for a cycle."""
    waiting = {call.id: len(call.upstream) for call in calls.values()}
    below: dict[str, list[str]] = {}
    for call in calls.values():
        for up in call.upstream:
            below.setdefault(up, []).append(call.id)
    ready = [call for call, count in waiting.items() if not count]
    for done in ready:
        for down in below.get(done, ()):
            waiting[down] -= 1
            if not waiting[down]:
                ready.append(down)
    if len(ready) < len(calls):
        raise BadGraph(_cycle(name, calls, set(calls) - set(ready)))
    return {call: calls[call] for call in ready}


def _cycle(name: str, calls: Mapping[str, Call], left: set[str]) -> str:
    """One cycle among the calls that are left, told with the lines that made it."""
    path = [min(left)]
    while (up := min(calls[path[-1]].upstream & left)) not in path:
        path.append(up)
    cycle = [*path[path.index(up) :], up]
    lines = "\n".join(
        f"  step {call} ({calls[call].where}) needs step {needed}"
        for call, needed in pairwise(cycle)
    )
    return f"The steps of pipeline {name!r} wait for each other in a circle:\n{lines}"
