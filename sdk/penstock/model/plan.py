"""A plan: a graph, the stack it is for, and the id of the run, with every value settled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.model import binding
from penstock.model.binding import Binding
from penstock.model.graph import Call, Graph
from penstock.model.options import StepOptions
from penstock.model.step import Step


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
                    *([True] if call.item else ()),
                ]
                for call in calls.values()
            ],
            "uncached": sorted(self.uncached),
            "result": self.graph.result and binding.to_data(self.graph.result),
        }
        return json.dumps(data, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes, run: str, find: Callable[[str], Step[..., Any]]) -> Plan:
        """The plan again; `find` gives the step for a `module:qualname`, and is asked for each of
        `steps` once, one after the other."""
        read = json.loads(data)
        steps = [
            Step(find(reference).function, StepOptions.from_text(options))
            for reference, options in read["steps"]
        ]
        calls = {
            id: Call(
                id,
                steps[number],
                {name: binding.from_data(value) for name, value in bindings.items()},
                tuple(after),
                item=bool(item),
            )
            for id, number, bindings, after, *item in read["calls"]
        }
        result = read["result"] and binding.from_data(read["result"])
        graph = Graph(read["pipeline"], calls, result)
        return cls(run, graph, read["reference"], read["stack"], frozenset(read["uncached"]))


def edges_in(data: bytes) -> Iterator[tuple[str, str, str]]:
    """(from, to, parameter) of each edge of a plan, without one for `after`; no user code is
    looked for."""
    for id, _, bindings, after, *_ in json.loads(data)["calls"]:
        for name, written in bindings.items():
            for use in binding.uses(binding.from_data(written)):
                yield use.call, id, name
        for up in after:
            yield up, id, ""


def inputs_in(data: bytes, call: str) -> dict[str, Binding]:
    """What one call of a plan is given; no user code is looked for."""
    written = {each[0]: each[2] for each in json.loads(data)["calls"]}[call]
    return {name: binding.from_data(value) for name, value in written.items()}
