"""Options of steps that stand outside the code: in a stack, or in the configuration of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import did_you_mean, listed
from penstock.model.graph import Call, Graph
from penstock.model.options import StepOptions
from penstock.model.step import Step
from penstock.stack.complaints import At, Complaints
from penstock.stack.steps import step_options

Told = Mapping[str, Mapping[str, Any]]
"""Options as plain data, by a name that `names` knows."""


@dataclass(frozen=True, slots=True)
class StepChoices:
    """What the configuration of a run says of steps, and where."""

    told: Told
    at: Mapping[str, At]
    file: str

    def applied(self, graph: Graph) -> Graph:
        """The graph with these options. Raises `BadConfiguration` for steps that it lacks."""
        complaints = Complaints(self.file)
        known = dict.fromkeys(name for call in graph.calls.values() for name in names(call))
        for name in self.told:
            if name not in known:
                complaints.add(
                    self.at[name],
                    f"Pipeline {graph.name!r} has no step {name!r}. Its steps: {listed(known)}.",
                    did_you_mean(name, known),
                )
        complaints.tell()
        return with_options(graph, self.told, self._where)

    def _where(self, found: Iterable[str]) -> str:
        complaints = Complaints(self.file)
        return "; ".join(complaints.where(self.at[name]) for name in found)


def nowhere(found: Iterable[str]) -> str:
    """Where options of a stack are written: a complaint names the stack itself."""
    return ""


def names(call: Call) -> Iterator[str]:
    """What a call is known by, the most exact last: its step, the `map` that made it, its id."""
    yield call.step.name
    if call.item:
        yield call.id.rpartition(".")[0]
    yield call.id


def with_options(
    graph: Graph, told: Told, where: Callable[[Iterable[str]], str] = nowhere
) -> Graph:
    """The graph with these options of its steps; what is said of a more exact name wins. `where`
    tells a call's complaints where the options of these names are written."""
    if not told:
        return graph
    changed: dict[tuple[int, tuple[str, ...]], Step[..., Any]] = {}
    calls = {}
    for call in graph.calls.values():
        found = tuple(dict.fromkeys(name for name in names(call) if name in told))
        key = (id(call.step), found)
        if key not in changed:
            changed[key] = _step(call.step, [told[name] for name in found])
        calls[call.id] = call.with_step(changed[key], where(found))
    return Graph(graph.name, calls, graph.result)


def _step(step: Step[..., Any], told: list[Mapping[str, Any]]) -> Step[..., Any]:
    options = step_options({name: value for each in told for name, value in each.items()})
    changed = step.with_options(**options) if options else step
    for each in (step.options, *map(_of_the_cache, told)):  # what is stricter counts, anywhere
        if changes := changed.options.changes(each.controls):
            changed = changed.with_options(**changes)
    return changed


def _of_the_cache(told: Mapping[str, Any]) -> StepOptions:
    names = ("cache", "cache_for", "refresh")
    return StepOptions(**step_options({name: told[name] for name in names if name in told}))
