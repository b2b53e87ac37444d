"""Failures: what a step raised, as a record that shows the user's own frames only."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

from penstock.model.graph import Call
from penstock.model.records import Failure, Status, StepRun

_HOME: Final = str(Path(__file__).parents[1])


def users_frames(start: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is not ours."""
    frame = start
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_HOME):
        frame = frame.tb_next
    return frame if frame is not None else start


def record(
    call: Call,
    run: str,
    error: BaseException,
    status: Status,
    started: float,
    attempt: int,
    wall: float = 0.0,
    cpu: float = 0.0,
) -> StepRun:
    """The record of an attempt that raised."""
    error = error.with_traceback(users_frames(error.__traceback__))
    text = "".join(traceback.format_exception(error))
    failure = Failure(type(error).__qualname__, str(error), text)
    return StepRun(
        run, call.id, call.step.reference, status,
        started=started, wall=wall, cpu=cpu, attempt=attempt, failure=failure,
    )  # fmt: skip


def vanished(run: str, call: Call, operator: str) -> StepRun:
    """The record of a step whose operator came back and left nothing in the store."""
    message = f"The step operator {operator!r} came back, but step {call.id} left no record."
    return StepRun(
        run, call.id, call.step.reference, Status.FAILED,
        failure=Failure("LostStep", message, message + "\n"),
    )  # fmt: skip
