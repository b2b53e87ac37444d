"""Taking: what a part of a pipeline needs of the steps that are left out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from penstock.artifacts.values import Values
from penstock.errors import NotFound, listed
from penstock.model import binding as bindings
from penstock.model import plain
from penstock.model.binding import Binding, Condition, Held, Literally, Use, uses
from penstock.model.graph import Call, Graph
from penstock.model.plan import Plan
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime import conditions, resuming, run_names
from penstock.runtime import foretold as foretelling
from penstock.runtime.cache import Cache
from penstock.runtime.donors import Donors, with_upstream
from penstock.runtime.earlier import Earlier
from penstock.runtime.foretold import Foretold
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import MALFORMED
from penstock.runtime.selection import Part

_dump: Final = json.JSONEncoder().encode

LOOKED_AT: Final = 200
"""Runs of the pipeline, the newest, in which the result of a step is looked for."""


class Taking:
    """Gives the results of steps that are left out: of the cache, of a run that is resumed, of the
    newest run that has one."""

    def __init__(
        self, plan: Plan, part: Part, ledger: Ledger, values: Values, cache: Cache,
        earlier: Earlier,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._values = values
        self._part = part
        self._ledger = ledger
        self._cache = cache
        self._earlier = earlier
        self._taken: dict[str, StepRun] = {}
        self.notes: list[str] = []
        """Which results are of another run, and what has changed since."""

    def plan(self) -> Plan:
        """The plan of the part, with these results in the place of steps. Raises `NotFound`."""
        kept = self._part.graph.calls
        calls = self._plan.graph.calls
        needed = {use.call: id for id in kept for use in _uses(calls[id]) if use.call not in kept}
        outside = self._outside(needed)
        foretold = Foretold(outside, self._values, self._cache, self._earlier)
        self._taken = {id: made for id, made in foretold.results.items() if id in needed}
        if missing := [id for id in calls if id in needed and id not in self._taken]:
            self._search(missing, needed, foretold)
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
        found = with_upstream(needed, calls)
        outside = {id: call for id, call in calls.items() if id in found}
        off = {id for id, call in outside.items() if call.step.options.cache is False}
        graph = Graph(self._plan.graph.name, outside)
        return Plan(self._plan.run, graph, self._plan.reference, self._plan.stack, frozenset(off))

    def _search(
        self, missing: Sequence[str], needed: Mapping[str, str], foretold: Foretold
    ) -> None:
        """Take results of earlier runs, the newest that has them. Raises `NotFound`."""
        newest = islice(run_names.newest(self._ledger, self._plan.graph.name), LOOKED_AT)
        calls = self._plan.graph.calls
        runs = chain(self._earlier.runs, newest)
        donors = Donors(runs, calls, foretold, self._ledger, self._cache)
        given: dict[str, list[str]] = {}
        for group, found in donors.given(missing):
            if not found:
                raise self._not_found(group, needed[group[0]])
            for id, (record, made) in found.items():
                self._taken[id] = made
                given.setdefault(record.run, []).append(id)
                skipped = ", where it was skipped" if made.status is Status.SKIPPED else ""
                since = self._since(calls[id], record, donors)
                self.notes.append(f"{id} is taken from run {record.run}{skipped}{since}")
        if len(given) > 1:
            several = "; ".join(f"{', '.join(ids)} of {run}" for run, ids in given.items())
            self.notes.append(f"what is taken is of several runs, none has all of it: {several}")

    def _not_found(self, group: Sequence[str], who: str) -> NotFound:
        place = f"of {self._plan.graph.name!r} in {self._ledger.store.path}"
        if len(group) == 1:
            return NotFound(
                f"Step {group[0]} is left out ({self._part.words}), step {who} needs it, and "
                f"neither the cache nor a run {place} has a result of it that can be used.",
                hint=f"Run it first, with --to {group[0]} or to_step={group[0]!r}.",
            )
        return NotFound(
            f"Steps {listed(group)} are left out ({self._part.words}), and one condition decides "
            f"which of them run: neither the cache nor any single run {place} has results of all "
            "of them that can be used and go together.",
            hint=f"Run them together, with --to {who} or to_step={who!r}.",
        )

    def _since(self, call: Call, record: RunRecord, donors: Donors) -> str:
        """What has changed of a step, and of what it is made from, since that run."""
        calls = self._plan.graph.calls
        before = with_upstream([call.id], calls)
        told = []
        for each in (call, *(calls[id] for id in calls if id in before - {call.id})):
            old = donors.made(record, each.id)
            if old is not None and old.key and (what := self._changed(each, old)):
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
        if not self._cache.tells(call):
            before["environment"] = now["environment"]  # nobody knows it here
        return "" if before == now else resuming.changed(_dump(before), _dump(now))

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
            when=(*(self._settled(each, call) for each in call.when), *self._refused(call)),
        )

    def _refused(self, call: Call) -> Iterator[Condition]:
        """What never holds, of a call that is given what was skipped and cannot be None."""
        for use in conditions.refused(call, self._taken):
            yield _never(conditions.was_skipped(use))

    def _settled(self, condition: Condition, call: Call) -> Condition:
        """The condition, if it is an output of a step that is left out by what that was."""
        use = condition.binding
        if type(use) is not Use or use.call not in self._taken:
            return condition
        made = self._taken[use.call]
        if made.status is Status.SKIPPED:
            return _never(conditions.was_skipped(use))
        value = foretelling.loaded(self._values, made, use, self._plan.graph.calls[use.call])
        text = plain.encode(conditions.truth(value, use, call))
        return Condition(Literally(text, text), condition.wanted, conditions.was(use, value))

    def _instead(self, item: Binding) -> Binding:
        if type(item) is not Use or item.call not in self._taken:
            return item
        made = self._taken[item.call]
        run, call = made.source or (made.run, made.call)
        if run == self._plan.run:  # it would be skipped, and no run has a record of that
            return Held(made.outputs[item.output], None, made.verified)
        drawn = self._plan.graph.calls[item.call]
        step = "" if drawn.over else drawn.step.reference  # of a map the annotation is of one item
        return Held(made.outputs[item.output], (run, call, item.output), made.verified, step)


def _uses(call: Call) -> Iterator[Use]:
    for item in call.bindings.values():
        yield from uses(item)
    for each in call.when:
        yield from uses(each.binding)


def _never(why: str) -> Condition:
    """What does not hold, and because of what."""
    text = plain.encode(False)
    return Condition(Literally(text, text), True, why)
