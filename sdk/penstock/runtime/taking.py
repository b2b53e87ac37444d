"""Taking: what a part of a pipeline needs of the steps that are left out."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from penstock.artifacts.values import Trust, Values
from penstock.errors import NotFound
from penstock.model import binding as bindings
from penstock.model import plain
from penstock.model.binding import Binding, Condition, Held, Literally, Use, uses
from penstock.model.graph import Call, Graph
from penstock.model.plan import Plan
from penstock.model.records import RunRecord, StepRun
from penstock.runtime import conditions, planner, resuming, run_names
from penstock.runtime.cache import Cache, Key
from penstock.runtime.earlier import Earlier
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import MALFORMED
from penstock.runtime.scratch import Scratch
from penstock.runtime.selection import Part

LOOKED_AT: Final = 200
"""Runs of the pipeline, the newest, in which the result of a step is looked for."""


class Taking:
    """Gives the results of steps that are left out: of the cache, of a run that is resumed, of the
    newest run that has one."""

    def __init__(
        self, plan: Plan, part: Part, ledger: Ledger, values: Values, cache: Cache,
        earlier: Earlier, elsewhere: Container[str | None],
    ) -> None:  # fmt: skip
        self._plan = plan
        self._values = values
        self._part = part
        self._ledger = ledger
        self._cache = cache
        self._earlier = earlier
        self._elsewhere = elsewhere
        self._taken: dict[str, StepRun] = {}
        self.notes: list[str] = []
        """Which results are of another run, and what has changed since."""

    def plan(self) -> Plan:
        """The plan of the part, with these results in the place of steps. Raises `NotFound`."""
        kept = self._part.graph.calls
        calls = self._plan.graph.calls
        needed = {use.call: id for id in kept for use in _uses(calls[id]) if use.call not in kept}
        known = planner.find(self._outside(needed), self._cache, self._elsewhere, self._earlier)
        for call, who in needed.items():
            self._taken[call] = known.hits.get(call) or self._searched(calls[call], who)
        part = {id: self._cut(calls[id]) for id in kept}
        result = self._plan.graph.result
        graph = Graph(
            self._plan.graph.name, part, result and bindings.converted(result, self._instead)
        )
        return replace(
            self._plan,
            graph=graph,
            uncached=self._plan.uncached & kept.keys(),
            refreshed=self._plan.refreshed & kept.keys(),
            cache_for={id: age for id, age in self._plan.cache_for.items() if id in kept},
        )

    def _outside(self, needed: Mapping[str, str]) -> Plan:
        """The plan of all that is needed, and of what is needed for it. That the run is to compute
        anew what it runs is nothing to them."""
        calls = self._plan.graph.calls
        found = _with_upstream(needed, calls)
        outside = {id: call for id, call in calls.items() if id in found}
        off = {id for id, call in outside.items() if call.step.options.cache is False}
        graph = Graph(self._plan.graph.name, outside)
        return Plan(self._plan.run, graph, self._plan.reference, self._plan.stack, frozenset(off))

    def _searched(self, call: Call, who: str) -> StepRun:
        """The result of the newest run that has one. Raises `NotFound`."""
        newest = run_names.newest(self._ledger, self._plan.graph.name)
        for record in chain(self._earlier.runs, islice(newest, LOOKED_AT)):
            found = resuming.committed(self._ledger, record, call.id)
            if found is not None and self._is_usable(found, call):
                self.notes.append(
                    f"{call.id} is taken from run {record.run}{self._since(call, record)}"
                )
                return found
        raise NotFound(
            f"Step {call.id} is left out ({self._part.words}), step {who} needs it, and neither "
            f"the cache nor a run of {self._plan.graph.name!r} in {self._ledger.store.path} has a "
            "result of it that can be used.",
            hint=f"Run it first, with --to {call.id} or to_step={call.id!r}.",
        )

    def _is_usable(self, found: StepRun, call: Call) -> bool:
        names = {output.name for output in call.outputs}
        usable = self._cache.usable(found, Key(found.key, found.parts))
        return isinstance(usable, StepRun) and names <= found.outputs.keys()

    def _since(self, call: Call, record: RunRecord) -> str:
        """What has changed of a step, and of what it is made from, since that run."""
        calls = self._plan.graph.calls
        before = _with_upstream([call.id], calls)
        told = []
        for each in (call, *(calls[id] for id in calls if id in before - {call.id})):
            old = resuming.committed(self._ledger, record, each.id)
            if old is not None and (what := self._changed(each, old)):
                told.append(f"{each.id} has changed since ({what})")
        return f", and {', '.join(told)}" if told else ""

    def _changed(self, call: Call, old: StepRun) -> str:
        """What is another of a step by itself, whatever it was given by others."""
        own = {name: item for name, item in call.bindings.items() if not any(uses(item))}
        now = json.loads(self._cache.key(call.with_bindings(own), {}).parts)
        try:
            before = json.loads(old.parts)
            given = before["inputs"].items()
            before["inputs"] = {name: item for name, item in given if name in own}
        except MALFORMED:  # anybody may have written it
            return "its key"
        if call.step.options.step_operator in self._elsewhere:
            before["environment"] = now["environment"]  # nobody knows it here
        return "" if before == now else resuming.changed(json.dumps(before), json.dumps(now))

    def _cut(self, call: Call) -> Call:
        """The call, given results in the place of steps that are left out."""
        kept = self._part.graph.calls
        return replace(
            call,
            bindings={
                name: bindings.converted(item, self._instead)
                for name, item in call.bindings.items()
            },
            after=tuple(up for up in call.after if up in kept),
            when=tuple(self._settled(each, call) for each in call.when),
        )

    def _settled(self, condition: Condition, call: Call) -> Condition:
        """The condition, if it is an output of a step that is left out by what that was."""
        use = condition.binding
        if type(use) is not Use or use.call not in self._taken:
            return condition
        made = self._taken[use.call]
        outputs = self._plan.graph.calls[use.call].outputs
        hint = next(each.hint for each in outputs if each.name == use.output)
        scratch = Scratch()
        try:
            value = self._values.load(
                made.outputs[use.output], hint, f"The condition of step {call.id}",
                scratch.folder, Trust(made.verified, made.signer),
            )  # fmt: skip
            text = plain.encode(conditions.truth(value, use, call))
        finally:
            scratch.remove()
        return Condition(Literally(text, text), condition.wanted)

    def _instead(self, item: Binding) -> Binding:
        if type(item) is not Use or item.call not in self._taken:
            return item
        made = self._taken[item.call]
        run, call = made.source or (made.run, made.call)
        drawn = self._plan.graph.calls[item.call]
        step = "" if drawn.over else drawn.step.reference  # of a map the annotation is of one item
        return Held(made.outputs[item.output], (run, call, item.output), made.verified, step)


def _uses(call: Call) -> Iterator[Use]:
    for item in call.bindings.values():
        yield from uses(item)
    for each in call.when:
        yield from uses(each.binding)


def _with_upstream(start: Iterable[str], calls: Mapping[str, Call]) -> set[str]:
    found = set(start)
    left = list(found)
    while left:
        new = calls[left.pop()].upstream - found
        found |= new
        left += new
    return found
