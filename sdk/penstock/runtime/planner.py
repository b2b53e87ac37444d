"""The planner: settles every value of a graph and finds the results that are there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from penstock.artifacts.values import Values
from penstock.model import plain
from penstock.model.binding import Binding, Given, Group, Held, Literally, converted
from penstock.model.graph import Call, Graph
from penstock.model.options import Resources
from penstock.model.records import StepRun
from penstock.model.step import Step
from penstock.runtime.cache import Cache
from penstock.stack.orchestrator import Observer
from penstock.stack.stack import Stack

_SCALARS: Final = frozenset({int, float, str, bool, type(None)})


def with_stack_options(graph: Graph, stack: Stack) -> Graph:
    """The graph with what the stack says of its steps, by the steps' names."""
    if not stack.steps:
        return graph
    changed: dict[int, Step[..., Any]] = {}
    calls = {}
    for call in graph.calls.values():
        step = call.step
        if id(step) not in changed:
            options = dict(stack.steps.get(step.name, {}))
            if isinstance(options.get("resources"), Mapping):
                options["resources"] = Resources(**options["resources"])
            changed[id(step)] = step.with_options(**options) if options else step
        calls[call.id] = Call(call.id, changed[id(step)], call.bindings, call.after, call.where)
    return Graph(graph.name, calls, graph.result)


def settled(graph: Graph, values: Values) -> Graph:
    """The graph with every given value as text, or stored if it is not plain data."""
    stored: dict[int, tuple[Any, Held]] = {}

    def settle(value: Any, hint: Any, who: str) -> Binding:
        if type(value) in _SCALARS:
            text = plain.encode(value)
            return Literally(text, text)
        try:
            return Literally(plain.encode(value), plain.canonical(value))
        except plain.NotPlain:
            known = stored.get(id(value))
            if known is None:
                known = stored[id(value)] = (value, Held(values.save(value, hint, who)))
            return known[1]

    calls = {}
    for call in graph.calls.values():
        bindings = {}
        changed = False
        for name, binding in call.bindings.items():
            kind = type(binding)
            if kind is Given or kind is Group:
                hint = call.step.signature.parameters[name].hint
                who = f"The value of parameter {name!r} of step {call.id} ({call.where})"
                binding = converted(
                    binding,
                    lambda item, hint=hint, who=who: (  # type: ignore[misc]
                        settle(item.value, hint, who) if type(item) is Given else item
                    ),
                )
                changed = True
            bindings[name] = binding
        calls[call.id] = call.with_bindings(bindings) if changed else call
    result = graph.result and converted(
        graph.result,
        lambda item: (
            settle(item.value, None, f"The return value of pipeline {graph.name!r}")
            if type(item) is Given
            else item
        ),
    )
    return Graph(graph.name, calls, result)


def find_hits(
    graph: Graph, run: str, uncached: frozenset[str], cache: Cache, observer: Observer
) -> dict[str, StepRun]:
    """The calls whose results are there, as far as their inputs are known without running."""
    hits: dict[str, StepRun] = {}
    for call in graph.calls.values():
        if call.id in uncached or not call.upstream <= hits.keys():
            continue
        key = cache.key(call, hits)
        found, why_not = cache.look_up(key)
        if found is not None:
            hits[call.id] = found.reused(run, call.id)
        elif why_not:
            observer.note(f"{call.id} runs again: {why_not}")
    return hits
