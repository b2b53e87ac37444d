"""Foretold: what is known of steps without running them. By their keys the cache has results; and
whose condition does not hold would be skipped."""

from __future__ import annotations

from typing import Any

from penstock.artifacts.values import Trust, Values
from penstock.errors import PenstockError
from penstock.model.binding import Use
from penstock.model.controls import Controls
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Status, StepRun
from penstock.runtime import conditions
from penstock.runtime.cache import Cache
from penstock.runtime.earlier import Earlier
from penstock.runtime.expansion import Expansions
from penstock.runtime.item_lists import ItemLists
from penstock.runtime.outputs import Outputs
from penstock.runtime.scratch import Scratch


class Foretold:
    """What a run of some steps would give, as far as that can be told."""

    def __init__(self, plan: Plan, values: Values, cache: Cache, earlier: Earlier) -> None:
        """`plan`: of these steps, and of all that they need."""
        self._plan = plan
        self._values = values
        self._cache = cache
        self._earlier = earlier
        lists = ItemLists(values, cache.code_now, cache.canonical)
        self.results: dict[str, StepRun] = {}
        """What they would give."""
        self.skipped: dict[str, bool] = {}
        """Whether they would be skipped; some have no result here nevertheless."""
        self._outputs = Outputs(values, lists)
        self._expansions = Expansions(plan, self.results, values, lists)
        for call in plan.graph.calls.values():
            found = self._found(call)
            if found is not None:
                self.results[call.id] = found

    def _found(self, call: Call) -> StepRun | None:
        why = self._why_skipped(call)
        if why is None:
            return None
        self.skipped[call.id] = bool(why)
        return self._nothing(call, why) if why else self._by_key(call)

    def _why_skipped(self, call: Call) -> str | None:
        """Why a step would be skipped; empty if it would run, None if nobody knows."""
        results = self.results
        if any(type(each.binding) is Use and each.binding.call not in results
               for each in call.when):  # fmt: skip
            return None
        try:
            why = conditions.why_skipped(call, results, self._loaded)
        except PenstockError:  # it cannot be read; whoever runs the step will say so
            return None
        return why if why or call.upstream <= self.skipped.keys() else None

    def _loaded(self, use: Use) -> Any:
        return loaded(self._values, self.results[use.call], use, self._plan.graph.calls[use.call])

    def _nothing(self, call: Call, why: str) -> StepRun | None:
        """None in the place of each output."""
        count = None
        if call.over and not conditions.has_no_list(call, self.results):
            try:
                count = len(self._expansions.items(call))
            except (PenstockError, KeyError):  # nobody knows the list, or it is gone
                return None
        outputs = self._outputs.nothing(call, count)
        return StepRun(
            self._plan.run, call.id, call.step.reference, Status.SKIPPED, outputs=outputs,
            verified=True, why=why,
        )  # fmt: skip

    def _by_key(self, call: Call) -> StepRun | None:
        uncached = call.step.options.cache is False
        if not call.upstream <= self.results.keys() or (uncached and not self._earlier.runs):
            return None
        if not self._cache.tells(call):
            return None
        key = self._cache.key(call, self.results)
        found = self._cache.look_up(key, Controls(cache=not uncached))
        found = self._earlier.instead(found, call.id, key) or found
        return found.reused(self._plan.run, call.id) if isinstance(found, StepRun) else None


def loaded(values: Values, made: StepRun, use: Use, call: Call) -> Any:
    """An output of a step, on which it depends whether another one runs. `call` made it."""
    scratch = Scratch()
    try:
        return values.load(
            made.outputs[use.output],
            next(each.hint for each in call.outputs if each.name == use.output),
            f"Output {use.output!r} of step {use.call}, a condition",
            scratch.folder,
            Trust(made.verified, made.signer),
        )
    finally:
        scratch.remove()
