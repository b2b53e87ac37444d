"""Waiting for the end of a run that goes on: in this process, or in another one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import PenstockError, RunFailed, StillRunning
from penstock.model.records import Status
from penstock.runtime.background import Background
from penstock.runtime.observer import Silent
from penstock.runtime.outcome import run_failed

if TYPE_CHECKING:
    from penstock.runtime.run import Run

SHORTEST: Final = 0.05
LONGEST: Final = 2.0
"""Seconds between two looks into the store: the first, and what they grow to."""


def error_at_end(
    run: Run[Any], background: Background | None, timeout: float | None
) -> Exception | None:
    """What `.run()` raises of such an end; `StillRunning` if there is none within the time."""
    if background is None and run.engine is not None:
        watching = run.watching(Silent())
        over = watching.until_over(timeout)
        return watching.failed(said(run)) if over else _still_running(run, timeout)
    is_over = background.wait(timeout) if background is not None else _is_over(run, timeout)
    if not is_over:
        return _still_running(run, timeout)
    error = background.heard() if background is not None else None
    if isinstance(error, PenstockError):
        return error.with_traceback(None)  # it may be raised once more, elsewhere
    return error if isinstance(error, Exception) else said(run)


def _is_over(run: Run[Any], timeout: float | None) -> bool:
    limit = time.monotonic() + timeout if timeout is not None else float("inf")
    pause = SHORTEST
    while run.status is Status.RUNNING:
        left = limit - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST)
    return True


def _still_running(run: Run[Any], timeout: float | None) -> StillRunning:
    return StillRunning(
        f"Run {run.id} of {run.pipeline!r} has not ended within {timeout or 0:g} s.",
        hint="It goes on; wait() once more, or: penstock run cancel " + run.id,
    )


def said(run: Run[Any]) -> RunFailed | None:
    """The error for a run that did not complete, from what is written down."""
    status = run.status
    if status.usable:
        return None
    if status is Status.FAILED:
        return run_failed(run, [view.record for view in run if view.record.failure])
    why = f" ({run.reason})" if run.reason else ""
    return RunFailed(
        f"Run {run.id} of {run.pipeline!r} was {status.replace('_', ' ')}{why}.",
        run=run,
        hint=f"penstock run show {run.id}",
    )
