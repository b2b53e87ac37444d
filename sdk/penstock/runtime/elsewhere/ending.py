"""Ending: what is done around the steps of a run that nobody waits for: its hooks are told, and it
is sealed."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from penstock.artifacts.values import Values
from penstock.digest import of_buffers
from penstock.model.options import Hook, PipelineOptions
from penstock.model.plan import Plan
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime import at_once, hooks, loading, logs, observer, status
from penstock.runtime.capturing import capture
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.ledger import Get, Ledger, step_key
from penstock.runtime.masking import Mask
from penstock.runtime.notation import End
from penstock.runtime.run import Run

DONE: Final = Status.COMPLETED


def tell_start(ledger: Ledger, record: RunRecord, mask: Mask) -> None:
    """Tell the pipeline's hook that a run has begun."""
    said = observer.Notes(sys.stderr, mask)
    options = _options(record, said)
    _tell(options.on_start, ledger, record, said, mask)


def ended(ledger: Ledger, record: RunRecord, plan: Plan, mask: Mask) -> None:
    """Seal a run, whatever became of its steps, and tell the pipeline's hooks."""
    ledger.end(_end(ledger, record, plan))
    said = observer.Notes(sys.stderr, mask)
    options = _options(record, said)
    sealed = ledger.sealed(record.run)  # perhaps somebody else's
    completed = sealed is not None and sealed.status is Status.COMPLETED
    hook = options.on_success if completed else options.on_failure
    _tell(hook, ledger, record, said, mask)


def _tell(
    hook: Hook | None, ledger: Ledger, record: RunRecord, said: observer.Notes, mask: Mask
) -> None:
    """What the hook prints is the run's, as what the hooks of steps print: without the secrets."""
    if hook is not None:
        with capture.captured(logs.StepLog(ledger.store, record.run, logs.RUN, mask)):
            hooks.call(hook, _run(ledger, record), said)


def _options(record: RunRecord, said: observer.Notes) -> PipelineOptions:
    """Those of the pipeline. Its module may need what is not installed where a step runs."""
    try:
        return loading.find_options(record.reference)
    except Exception as error:
        said.note(f"the hooks of {record.pipeline} cannot be told: {type(error).__name__}: {error}")
        return PipelineOptions()


def _run(ledger: Ledger, record: RunRecord) -> Run[Any]:
    """As whoever waits for a run has it."""
    values = Values(ledger.store, Fingerprints().of_names)
    return Run(ledger, values, record)


def _end(ledger: Ledger, record: RunRecord, plan: Plan) -> End:
    """The seal, as the records have it."""
    found = _written(ledger, record)
    missing = not (found.keys() | record.hits.keys()).issuperset(record.calls)
    what = (status.unfinished(ledger, record.run, found) or Status.FAILED) if missing else DONE
    why = ledger.cancelled(record.run) or "" if what is Status.STOPPED else ""
    digests = {call: digest for call, (digest, _) in found.items()}
    keys = _keys(found, plan) if ledger.store.distant else {}
    return End(record.run, what, time.time(), digests, why, keys)


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
