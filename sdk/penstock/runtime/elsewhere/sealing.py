"""Sealing: how a run has ended that nobody in this process has carried out, by its records."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from functools import partial
from typing import Final

from penstock.digest import of_buffers
from penstock.model.plan import Plan
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime import at_once, status
from penstock.runtime.ledger import Get, Ledger, step_key
from penstock.runtime.notation import End

DONE: Final = Status.COMPLETED


def end(
    ledger: Ledger, record: RunRecord, plan: Plan, what: Status | None = None, why: str = ""
) -> End:
    """The seal, as the records have it. Whoever knows more says `what` has become of a run that
    lacks results, and why."""
    found = _written(ledger, record)
    if (found.keys() | record.hits.keys()).issuperset(record.calls):
        what, why = DONE, ""
    elif what is None:
        what = status.unfinished(ledger, record.run, found) or Status.LOST
        why = _why(ledger, record, what, found)
    digests = {call: digest for call, (digest, _) in found.items()}
    keys = _keys(found, plan) if ledger.store.distant else {}
    return End(record.run, what, time.time(), digests, why, keys)


def _why(ledger: Ledger, record: RunRecord, what: Status, found: Collection[str]) -> str:
    """What the records say of an end that no step has told of."""
    if what is Status.STOPPED:
        return ledger.cancelled(record.run) or ""
    return _silence(record, found) if what is Status.LOST else ""


def is_unexplained(ledger: Ledger, record: RunRecord, sealed: End) -> bool:
    """Whether a seal says no more of a lost run than its records do: whoever wrote it could ask no
    engine."""
    if sealed.status is not Status.LOST:
        return False
    return sealed.why == _silence(record, status.done(ledger, record))


def _silence(record: RunRecord, found: Collection[str]) -> str:
    """What is said of the first step of which nothing was heard."""
    silent = (call for call in record.calls if call not in found and call not in record.hits)
    first = next(silent, "")
    return f"step {first} has left no record: its process was ended, or has never begun"


def _written(ledger: Ledger, record: RunRecord) -> dict[str, tuple[str, StepRun]]:
    """Call → digest and record, of all that this run has computed or found."""
    folder = f"runs/{record.run}/steps/"
    names = [entry.name.removesuffix(".json") for entry in ledger.store.keys(folder)]

    def read(call: str, get: Get) -> tuple[str, StepRun] | None:
        made = ledger.step(record.run, call, get)
        return None if made is None else (of_buffers([get(step_key(record.run, call))]), made)

    reads = {call: partial(read, call) for call in names}
    found = at_once.read_all(ledger.store, reads)
    return {call: each for call, each in found.items() if each is not None}


def _keys(found: Mapping[str, tuple[str, StepRun]], plan: Plan) -> dict[str, str]:
    """Where the cache has what the calls of the plan gave, for the next run of the pipeline."""
    known = (plan.graph.calls.keys() & found.keys()) - plan.uncached
    return {call: key for call in sorted(known) if (key := found[call][1].key)}
