"""Ending: what is done around the steps of a run that nobody waits for: its hooks are told, and it
is sealed."""

from __future__ import annotations

import sys
from typing import Any

from penstock.artifacts.values import Values
from penstock.model.options import Hook, PipelineOptions
from penstock.model.plan import Plan
from penstock.model.records import RunRecord, Status
from penstock.runtime import hooks, loading, logs, observer
from penstock.runtime.capturing import capture
from penstock.runtime.elsewhere import sealing
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.ledger import Ledger
from penstock.runtime.masking import Mask
from penstock.runtime.run import Run


def tell_start(ledger: Ledger, record: RunRecord, mask: Mask) -> None:
    """Tell the pipeline's hook that a run has begun."""
    said = observer.Notes(sys.stderr, mask)
    options = _options(record, said)
    _tell(options.on_start, ledger, record, said, mask)


def ended(ledger: Ledger, record: RunRecord, plan: Plan, mask: Mask) -> None:
    """Seal a run, whatever became of its steps, and tell the pipeline's hooks."""
    ledger.end(sealing.end(ledger, record, plan))
    said = observer.Notes(sys.stderr, mask)
    options = _options(record, said)
    sealed = ledger.sealed(record.run)  # perhaps somebody else's
    status = sealed.status if sealed is not None else Status.FAILED
    if status is Status.STOPPED and ledger.cancelled(record.run) is not None:
        return  # as everywhere: whoever cancels a run knows
    completed = status is Status.COMPLETED
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
