"""Why: explanations of a run, made from what its store says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from penstock.artifacts.values import Values
from penstock.model.binding import Binding
from penstock.model.graph import Graph
from penstock.model.plan import bindings_in
from penstock.model.records import RunRecord, StepRun
from penstock.runtime.explaining.change import Explanation
from penstock.runtime.explaining.comparison import Comparison, Inputs, Plans, Steps
from penstock.runtime.explaining.edits import Codes
from penstock.runtime.explaining.explainer import Explainer
from penstock.runtime.explaining.past import Past
from penstock.runtime.explaining.reasons import EARLIER, LOOKED, Reasons
from penstock.runtime.ledger import Ledger

BACK: Final = 20
"""Runs of the same pipeline that a step is compared with."""

Plan = Callable[[], bytes]
"""Gives the plan of a run, as it was written."""


def explanations(
    ledger: Ledger,
    values: Values,
    record: RunRecord,
    plan: Plan,
    steps: Steps,
    calls: Sequence[str],
) -> list[Explanation]:
    """Why these steps of a run ran, or did not, with all that is known of it."""
    past = Past(ledger, record, BACK)
    plans = plans_in(values)
    comparison = Comparison(record, steps, given_in(plan), past.usable, plans, Codes(values))
    explainer = Explainer(ledger, record, comparison, past)
    return [explainer.explanation(call) for call in calls]


def while_running(
    ledger: Ledger, values: Values, record: RunRecord, graph: Graph, known: Mapping[str, StepRun]
) -> Reasons:
    """What is said of the steps of a run while it is carried out here. `known` grows with it."""
    given = {call.id: call.bindings for call in graph.calls.values()}
    return _reasons(ledger, values, record, _given(lambda: given), known.__getitem__)


def watched(ledger: Ledger, values: Values, record: RunRecord, plan: Plan, steps: Steps) -> Reasons:
    """What is said of the steps of a run that another process carries out."""
    return _reasons(ledger, values, record, given_in(plan), steps)


def given_in(plan: Plan) -> Inputs:
    """What calls are given, by a plan that is read when the first is asked for."""
    return _given(cache(lambda: bindings_in(plan())))


def plans_in(values: Values) -> Plans:
    """What steps of other runs were given, by their plans."""
    known: dict[str, Inputs] = {}

    def of(run: RunRecord) -> Inputs:
        if run.plan not in known:
            data = bytes(values.fetch(run.plan, f"The plan of run {run.run}"))
            known[run.plan] = given_in(lambda: data)
        return known[run.plan]

    return of


def _reasons(
    ledger: Ledger, values: Values, record: RunRecord, inputs: Inputs, steps: Steps
) -> Reasons:
    past = Past(ledger, record, EARLIER, LOOKED)
    codes, plans = Codes(values, diffs=False), plans_in(values)
    comparison = Comparison(record, steps, inputs, past.usable, plans, codes)
    return Reasons(Explainer(ledger, record, comparison, past, causes=False))


def _given(calls: Callable[[], Mapping[str, Mapping[str, Binding]]]) -> Inputs:
    """Items of a list that is known at run time are not in a plan: they are given what their map
    is."""

    def of(call: str) -> Mapping[str, Binding]:
        known = calls()
        found = known.get(call)
        return found if found is not None else known.get(call.rpartition(".")[0], {})

    return of
