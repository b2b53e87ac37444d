"""Vanished: what is written down of a step whose process, or operator, has left nothing."""

from __future__ import annotations

import re
import time
import traceback
from typing import Final

from penstock.artifacts.store import ArtifactStore
from penstock.errors import LostStep, PenstockError, StepTimeout
from penstock.model.graph import Call
from penstock.model.records import Failure, Status, StepRun
from penstock.runtime.logs import StepLog
from penstock.runtime.masking import Mask
from penstock.runtime.tracebacks import failure

_OURS: Final = re.compile(
    r'^  File "(.*/penstock/runtime/[\w/]+\.py|<frozen runpy>)", line .*\n'
    r'(  File "<string>", line 1 in <module>\n)?',
    re.MULTILINE,
)
"""Our frames, as Python prints them when it dies."""


def vanished(
    run: str,
    call: Call,
    operator: str | None,
    error: Exception | None,
    number: int,
    store: ArtifactStore,
    mask: Mask,
    begun: float,
) -> tuple[StepRun, str]:
    """The record of attempt `number`, and its name, under which there is a log, too."""
    if error is None:
        who = f"The step operator {operator!r} came back" if operator else "Its process ended"
        error = LostStep(f"{who}, but step {call.id} left no record.")
    found = _failure(error, mask)
    log = StepLog(store, run, call.id, mask)
    log.write(found.traceback)
    log.close()
    status = Status.TIMED_OUT if isinstance(error, StepTimeout) else Status.FAILED
    record = StepRun(
        run, call.id, call.step.reference, status,
        started=begun, wall=time.time() - begun, attempt=number, failure=found,
    )  # fmt: skip
    return record, log.nonce


def _failure(error: Exception, mask: Mask) -> Failure:
    if not isinstance(error, PenstockError):
        return failure(error, "".join(traceback.format_exception(error)), mask)
    text = f"{type(error).__qualname__}: {error}\n"
    if isinstance(error, LostStep) and error.last_lines:
        text = f"{_OURS.sub('', error.last_lines).rstrip()}\n{text}"
    return failure(error, text, mask)
