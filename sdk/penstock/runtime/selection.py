"""Selection: a part of a pipeline, from one step on, up to one, or one alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from penstock.errors import BadArguments, NotFound, did_you_mean, listed
from penstock.model.graph import Call, Graph
from penstock.model.options import PipelineOptions


@dataclass(frozen=True, slots=True)
class Part:
    """Some steps of a pipeline."""

    words: str
    """As it was asked for, for example "from train to report"."""
    graph: Graph
    """Its steps; they may use outputs of steps that are left out."""


def selected(graph: Graph, options: PipelineOptions) -> Part | None:
    """The part that the options name; None for the whole pipeline.

    Raises `NotFound` for a step that is not there, `BadArguments` for what names nothing.
    """
    first, last, only = options.from_step, options.to_step, options.only
    if first is None and last is None and only is None:
        return None
    if only is not None and (first is not None or last is not None):
        raise BadArguments(
            f"only={only!r} is one step alone, and {'from' if first else 'to'} another one is "
            "asked for, too.",
            hint="Give only=, or from_step= and to_step=.",
        )
    kept = set(graph.calls)
    if (name := only or first) is not None:
        kept &= _reached(named(graph, name), _below(graph.calls))
    if (name := only or last) is not None:
        kept &= _reached(
            named(graph, name), {id: call.upstream for id, call in graph.calls.items()}
        )
    if not kept:
        raise BadArguments(
            f"There is nothing from step {first} to step {last} of pipeline {graph.name!r}: "
            f"{last} does not need {first}.",
        )
    words = [f"{word} {name}" for word, name in (("only", only), ("from", first), ("to", last))
             if name is not None]  # fmt: skip
    calls = {id: call for id, call in graph.calls.items() if id in kept}
    return Part(" ".join(words), Graph(graph.name, calls, graph.result))


def named(graph: Graph, name: str) -> list[str]:
    """The ids that a name stands for: of one step, or of all that a `map` made."""
    if name in graph.calls:
        return [name]
    items = [id for id, call in graph.calls.items() if call.item and id.rpartition(".")[0] == name]
    if items:
        return items
    raise NotFound(
        f"Pipeline {graph.name!r} has no step {name!r}. Its steps: {listed(graph.calls)}.",
        hint=did_you_mean(name, graph.calls),
    )


def _below(calls: Mapping[str, Call]) -> dict[str, set[str]]:
    """What needs each call, one step down."""
    found: dict[str, set[str]] = {id: set() for id in calls}
    for call in calls.values():
        for up in call.upstream:
            found[up].add(call.id)
    return found


def _reached(start: Iterable[str], next: Mapping[str, Iterable[str]]) -> set[str]:
    """These and all that can be reached from them."""
    found, left = set(start), list(start)
    while left:
        new = set(next[left.pop()]) - found
        found |= new
        left += new
    return found
