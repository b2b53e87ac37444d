"""Unstarted: what a pod leaves in the store that could not even begin with its step."""

from __future__ import annotations

import json
import time
import traceback
from typing import NamedTuple

from penstock.artifacts.objects import StoredObjects
from penstock.artifacts.store import ArtifactStore
from penstock.errors import PenstockError
from penstock.model.records import Status, StepRun
from penstock.runtime.elsewhere.told import Told
from penstock.runtime.ledger import Ledger
from penstock.runtime.logs import StepLog
from penstock.runtime.masking import Mask
from penstock.runtime.notation import MALFORMED
from penstock.runtime.stopping import is_end
from penstock.runtime.tracebacks import failure, trim


class _Meant(NamedTuple):
    """What the pod was to do, as far as its plan tells without any module of the user's."""

    call: str
    step: str


def record(
    ledger: Ledger, run: str, told: Told, error: BaseException, begun: float, mask: Mask,
    call: str = "",
) -> None:  # fmt: skip
    """Write down an attempt that has nobody else to do so, and why it ended. `call` is the one that
    was meant, if that is known."""
    meant = _meant(ledger.store, told, call)
    found = failure(error, said(error), mask)
    log = StepLog(ledger.store, run, meant.call, mask)
    log.write(found.traceback)
    log.close()
    attempts = ledger.attempts(run, meant.call)
    number = max((each.attempt for each in attempts), default=0) + 1
    made = StepRun(
        run, meant.call, meant.step, Status.STOPPED if is_end(type(error)) else Status.FAILED,
        started=begun, wall=time.time() - begun, attempt=number, failure=found,
    )  # fmt: skip
    ledger.attempt(made, log.nonce)


def said(error: BaseException) -> str:
    """An error as Python prints it: one of ours without frames, of others the user's."""
    if isinstance(error, PenstockError) or is_end(type(error)):
        return f"{type(error).__qualname__}: {error}\n"
    trim(error)
    return "".join(traceback.format_exception(error))


def _meant(store: ArtifactStore, told: Told, call: str) -> _Meant:
    """Of some items of a map, the first of them, unless the call is known."""
    try:
        plan = json.loads(bytes(StoredObjects(store).fetch(told.plan, "The plan")))
        of = {each: plan["steps"][number][0] for each, number, *_ in plan["calls"]}
    except (PenstockError, *MALFORMED):
        return _Meant(call or told.call, "")
    if not call and told.share is not None and told.call not in of:
        items = [each for each in of if each.rpartition(".")[0] == told.call]
        call = next((items[place] for place in told.share.among(len(items))), "")
    found = call or told.call
    return _Meant(found, of.get(found) or of.get(found.rpartition(".")[0], ""))
