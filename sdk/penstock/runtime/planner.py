"""The planner: settles every value of a graph and finds the results that are there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from penstock.artifacts.values import Values
from penstock.model import plain
from penstock.model.binding import Binding, Given, Group, Held, Literally, converted
from penstock.model.controls import Controls
from penstock.model.graph import Call, Graph
from penstock.model.plan import Plan
from penstock.model.records import StepRun
from penstock.model.signature import class_in
from penstock.runtime import conditions
from penstock.runtime.cache import Cache, Miss
from penstock.runtime.earlier import NOBODY, Earlier
from penstock.runtime.fingerprints.given import Canonical
from penstock.runtime.stored_artifact import StoredArtifact
from penstock.stack.stack import Stack

_SCALARS: Final = frozenset({int, float, str, bool, type(None)})


def settled(graph: Graph, values: Values, canonical: Canonical) -> Graph:
    """The graph with every given value as text, or stored if it is not plain data."""
    stored: dict[tuple[int, Any], tuple[Any, Held]] = {}

    def settle(value: Any, hint: Any, who: str) -> Binding:
        if type(value) in _SCALARS:
            text = plain.encode(value)
            return Literally(text, text)
        if isinstance(value, StoredArtifact):
            return value.held(values)
        try:
            return Literally(plain.encode(value), plain.canonical(value))
        except plain.NotPlain:
            # By annotation, too: some formats are only for readers who have the right one.
            key = (id(value), class_in(hint))
            if key not in stored:
                artifact = values.save(value, hint, who)
                held = Held(artifact, canonical=canonical(value, artifact))
                stored[key] = (value, held)
            return stored[key][1]

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


@dataclass(frozen=True, slots=True)
class Found:
    """What the cache has for the calls whose inputs are known without running anything."""

    hits: dict[str, StepRun]
    misses: dict[str, Miss]
    resumed: frozenset[str] = frozenset()
    """Those of `hits` that a run which is resumed has, and perhaps not the cache."""


def plan(
    run: str,
    graph: Graph,
    reference: str,
    stack: Stack,
    controls: Controls,
    values: Values,
    canonical: Canonical,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    ends: bool = False,
    starts: bool = False,
) -> Plan:
    """The plan of a run: every value settled. `controls` are those of the run as a whole,
    `settings` those of the pipeline; for `ends` and `starts` see there."""
    graph = settled(graph, values, canonical)
    steps = {id(call.step): call.step for call in graph.calls.values()}
    joined = {key: step.options.controls.joined(controls) for key, step in steps.items()}
    told = {call.id: joined[id(call.step)] for call in graph.calls.values()}
    return Plan(
        run, graph, reference, stack.to_data(),
        frozenset(call for call, each in told.items() if not each.cache),
        frozenset(call for call, each in told.items() if each.refresh),
        {call: each.cache_for for call, each in told.items() if each.cache_for is not None},
        {flavor: dict(values) for flavor, values in (settings or {}).items()},
        ends, starts,
    )  # fmt: skip


def find(plan: Plan, cache: Cache, earlier: Earlier = NOBODY) -> Found:
    """Look the calls of a plan up, as far as their inputs are known."""
    hits: dict[str, StepRun] = {}
    resumed: set[str] = set()
    misses: dict[str, Miss] = {}
    for wave in cache.waves(plan.graph.calls.values()):
        keys = [
            (call, cache.key(call, hits))
            for call in wave
            if call.upstream <= hits.keys()
            and _is_asked_for(call, plan, hits, earlier)
            and cache.tells(call)
        ]
        cache.look_ahead([key.digest for _, key in keys])
        for call, key in keys:
            found = cache.look_up(key, plan.controls(call))
            if (kept := earlier.instead(found, call.id, key)) is not None:
                hits[call.id] = kept.reused(plan.run, call.id)
                resumed.add(call.id)
            elif call.id in plan.uncached:
                continue
            elif isinstance(found, Miss):
                misses[call.id] = found
            else:
                hits[call.id] = found.reused(plan.run, call.id)
    return Found(hits, misses, frozenset(resumed))


def _is_asked_for(call: Call, plan: Plan, hits: Mapping[str, StepRun], earlier: Earlier) -> bool:
    """Whether the cache is asked for a call whose inputs are known."""
    if call.id in plan.uncached and not earlier.runs:
        return False
    return not call.when or conditions.surely_runs(call, hits)
