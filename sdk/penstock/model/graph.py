"""The graph of a pipeline: its calls, and which needs which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import BadGraph
from penstock.lazy import lazy
from penstock.model.binding import Binding, Condition, Use, uses
from penstock.model.signature import Output
from penstock.model.step import Step

if TYPE_CHECKING:
    import networkx as nx

    from penstock.pictures import notebook
else:
    notebook = lazy("penstock.pictures.notebook")  # only where somebody looks


SILENT: Final = ("", "if", "if not")
"""Labels of edges along which nothing is handed on. No parameter can be named like a keyword."""


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
    over: str = ""
    """The parameter that is mapped over a list which is only known at run time. Such a call is as
    many as that has items, and gives the list of what these give."""
    when: tuple[Condition, ...] = ()
    """What must hold for it to run; otherwise it is skipped."""
    mapped: frozenset[str] = frozenset()
    """Its outputs that a map goes over: they are stored so that their items can be told apart."""
    of: str = ""
    """The map whose item it is, if that was made at run time."""
    upstream: frozenset[str] = field(init=False, compare=False)
    """Calls that must be done before this one."""

    def __post_init__(self) -> None:
        found = {use.call for binding in self.bindings.values() for use in uses(binding)}
        found.update(each.binding.call for each in self.when if type(each.binding) is Use)
        object.__setattr__(self, "upstream", frozenset(found.union(self.after)))

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What it gives. Of a map over a list known at run time, that is one list."""
        signature = self.step.signature
        return (signature.list_output,) if self.over else signature.outputs

    @property
    def where(self) -> str:
        """All places that have asked for what it is: the call, and what the run was told of it."""
        return f"{self.line}; {self.told}" if self.told else self.line

    def with_bindings(self, bindings: Mapping[str, Binding]) -> Call:
        """The same call, its parameters bound otherwise."""
        return Call(
            self.id, self.step, bindings, self.after, self.line, self.item, self.told, self.over,
            self.when, self.mapped, self.of,
        )  # fmt: skip

    def with_step(self, step: Step[..., Any], told: str = "") -> Call:
        """The same call of another step, or of the same with other options."""
        return Call(
            self.id, step, self.bindings, self.after, self.line, self.item, told or self.told,
            self.over, self.when, self.mapped, self.of,
        )  # fmt: skip

    def item_at(self, place: int, binding: Binding) -> Call:
        """One call of a map over a list known at run time, for one of its items."""
        return Call(
            f"{self.id}.{place}", self.step, {**self.bindings, self.over: binding}, self.after,
            self.line, True, self.told, of=self.id,
        )  # fmt: skip


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
        """(from, to, label) of each edge; the label is the parameter, "if" or "if not" for a
        condition, empty for `after`."""
        for call in self.calls.values():
            named = {
                (use.call, name) for name, binding in call.bindings.items() for use in uses(binding)
            }
            named.update(conditions(call.when))
            for up, name in sorted(named):
                yield up, call.id, name
            for up in sorted(set(call.after) - {up for up, _ in named}):
                yield up, call.id, ""

    def pictured(self) -> tuple[list[str], list[tuple[str, str, str]]]:
        """Calls and edges for pictures: a map over a list known at run time is `train × n`, and
        only what is handed on has a label."""
        titles = self._titles
        edges = [
            (titles[up], titles[down], "" if of in SILENT else of) for up, down, of in self.edges()
        ]
        return list(titles.values()), edges

    @property
    def _titles(self) -> dict[str, str]:
        return {id: f"{id} × n" if call.over else id for id, call in self.calls.items()}

    def to_mermaid(self) -> str:
        """The graph in the text form that Markdown viewers draw (mermaid.js.org)."""
        number = {call: f"s{i}" for i, call in enumerate(self.calls)}
        lines = ["flowchart TD"]
        lines += [f'    {number[call]}["{title}"]' for call, title in self._titles.items()]
        for up, down, label in self.edges():
            arrow = "-.->" if label in SILENT else "-->"
            arrow += f"|{label}|" if label else ""
            lines.append(f"    {number[up]} {arrow} {number[down]}")
        return "\n".join(lines) + "\n"

    def to_svg(self) -> str:
        """The graph as a picture that any browser shows: one SVG element, left to right."""
        return notebook.of_steps(self.name, *self.pictured())

    def _repr_html_(self) -> str | None:
        return notebook.graph(self.name, *self.pictured())


def conditions(when: Iterable[Condition]) -> Iterator[tuple[str, str]]:
    """(step, label) of each output that a call waits for to know whether it runs."""
    for each in when:
        if type(each.binding) is Use:
            yield each.binding.call, "if" if each.wanted else "if not"


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
