"""A plan: a graph, the stack it is for, and the id of the run, with every value settled."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from penstock.model import binding, plain
from penstock.model.binding import Binding, Condition
from penstock.model.controls import ANYTHING, Controls
from penstock.model.graph import Call, Graph, conditions
from penstock.model.options import StepOptions
from penstock.model.step import Step

_dump: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Plan:
    """What will run. As data it names no run, so that equal plans are one object in the store."""

    run: str
    graph: Graph
    reference: str
    """`module:qualname` of the pipeline."""
    stack: Mapping[str, Any]
    """The stack's spec, references unresolved."""
    uncached: frozenset[str] = frozenset()
    """Calls that take nothing from the cache and leave nothing there."""
    refreshed: frozenset[str] = frozenset()
    """Calls that take nothing from the cache and replace what is there."""
    cache_for: Mapping[str, float] = field(default_factory=dict)
    """Call → seconds for which it can take a result from the cache; without an entry, for ever."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Those of the pipeline, by flavor: plain data."""
    ends: bool = False
    """Whether hooks of the pipeline wait for its end, and somebody elsewhere is to tell them."""
    starts: bool = False
    """Whether one waits for its start, which somebody elsewhere tells in runs that begin there."""

    def controls(self, call: Call) -> Controls:
        """What a call may take from the cache. An item of a map may what the map may."""
        if not (self.uncached or self.refreshed or self.cache_for):
            return ANYTHING
        id = call.of or call.id
        return Controls(id not in self.uncached, id in self.refreshed, self.cache_for.get(id))

    def needed(self, id: str) -> frozenset[str]:
        """The calls that must be done before one, which may be an item of a map."""
        calls = self.graph.calls
        return calls[id if id in calls else id.rpartition(".")[0]].upstream

    def with_item(self, item: Call) -> Plan:
        """The plan as whoever carries out one item of a map is to see it."""
        calls: Mapping[str, Call] = ChainMap({item.id: item}, self.graph.calls)  # type: ignore[arg-type]
        return replace(self, graph=replace(self.graph, calls=calls))

    @property
    def steps(self) -> Sequence[Step[..., Any]]:
        """Each once, in the order in which `from_bytes` looks for them."""
        return list({id(call.step): call.step for call in self.graph.calls.values()}.values())

    def to_bytes(self) -> bytes:
        """JSON, without the run."""
        calls = self.graph.calls
        steps = self.steps
        number = {id(step): i for i, step in enumerate(steps)}
        data = {
            "pipeline": self.graph.name,
            "reference": self.reference,
            "stack": self.stack,
            "steps": [[step.reference, step.options.to_text()] for step in steps],
            "calls": [
                [
                    call.id,
                    number[id(call.step)],
                    {name: binding.to_data(value) for name, value in call.bindings.items()},
                    call.after,
                    *_more(call),
                ]
                for call in calls.values()
            ],
            "uncached": sorted(self.uncached),
            **({"refreshed": sorted(self.refreshed)} if self.refreshed else {}),
            **({"cache_for": self.cache_for} if self.cache_for else {}),
            **({"settings": plain.encode(self.settings)} if self.settings else {}),
            **({"ends": True} if self.ends else {}),
            **({"starts": True} if self.starts else {}),
            "result": self.graph.result and binding.to_data(self.graph.result),
        }
        return _dump(data).encode()

    @classmethod
    def from_bytes(cls, data: bytes, run: str, find: Callable[[str], Step[..., Any]]) -> Plan:
        """The plan again; `find` gives the step for a `module:qualname`, and is asked for each of
        `steps` once, one after the other."""
        read = json.loads(data)
        steps = [
            find(reference).told(StepOptions.from_text(options))
            for reference, options in read["steps"]
        ]
        calls = {
            id: Call(
                id,
                steps[number],
                {name: binding.from_data(value) for name, value in bindings.items()},
                tuple(after),
                **_read_more(more),
            )
            for id, number, bindings, after, *more in read["calls"]
        }
        result = read["result"] and binding.from_data(read["result"])
        graph = Graph(read["pipeline"], calls, result)
        return cls(
            run, graph, read["reference"], read["stack"], frozenset(read["uncached"]),
            frozenset(read.get("refreshed", ())), read.get("cache_for", {}),
            plain.decode(read["settings"]) if "settings" in read else {},
            bool(read.get("ends")), bool(read.get("starts")),
        )  # fmt: skip


def edges_in(data: bytes) -> Iterator[tuple[str, str, str]]:
    """(from, to, label) of each edge of a plan, as `Graph.edges`; no user code is looked for."""
    for id, _, bindings, after, *more in json.loads(data)["calls"]:
        for name, written in bindings.items():
            for use in binding.uses(binding.from_data(written)):
                yield use.call, id, name
        for up, label in conditions(_read_more(more).get("when", ())):
            yield up, id, label
        for up in after:
            yield up, id, ""


def _more(call: Call) -> list[Any]:
    """What few calls have: at most one entry, so that plans of most are what they always were."""
    said: dict[str, Any] = {
        "item": call.item,
        "over": call.over,
        "when": [each.to_data() for each in call.when],
        "mapped": sorted(call.mapped),
    }
    said = {name: value for name, value in said.items() if value}
    return [True] if said == {"item": True} else [said] if said else []


def _read_more(more: Sequence[Any]) -> dict[str, Any]:
    """What `_more` wrote, as fields of a call."""
    if not more:
        return {}
    if not isinstance(more[0], dict):
        return {"item": bool(more[0])}
    said = dict(more[0])
    said["when"] = tuple(map(Condition.from_data, said.get("when", ())))
    said["mapped"] = frozenset(said.get("mapped", ()))
    return said


def over_in(data: bytes, call: str) -> str:
    """The parameter that one call of a plan maps over, if any."""
    more = {each[0]: each[4:] for each in json.loads(data)["calls"]}[call]
    over = _read_more(more).get("over", "")
    return str(over)


def inputs_in(data: bytes, call: str) -> dict[str, Binding]:
    """What one call of a plan is given; no user code is looked for."""
    written = {each[0]: each[2] for each in json.loads(data)["calls"]}[call]
    return {name: binding.from_data(value) for name, value in written.items()}


def bindings_in(data: bytes) -> dict[str, dict[str, Binding]]:
    """What every call of a plan is given, as `inputs_in`."""
    return {
        each[0]: {name: binding.from_data(value) for name, value in each[2].items()}
        for each in json.loads(data)["calls"]
    }
