"""One attempt at one call: its clock, its log, its scratch folder, and the record of it."""

from __future__ import annotations

import contextvars
import resource
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from penstock.artifacts.store import ArtifactStore
from penstock.errors import StepTimeout
from penstock.model.graph import Call
from penstock.model.records import Artifact, Failure, Status, StepRun
from penstock.runtime import logs
from penstock.runtime.cache import Key
from penstock.runtime.ledger import nonce
from penstock.runtime.scratch import Scratch

_OURS: Final = str(Path(__file__).parents[1])
_MEMORY_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of `ru_maxrss` (getrusage(2))."""


class Attempt:
    """Around the work of a step. What is printed meanwhile is the step's."""

    def __init__(self, call: Call, run: str, key: Key, number: int, store: ArtifactStore) -> None:
        self.nonce = nonce()
        self.scratch = Scratch()
        self._call = call
        self._run = run
        self._key = key
        self._number = number
        self._log = logs.StepLog(store, run, call.id, self.nonce)
        self._token: contextvars.Token[Any] | None = None
        self._started = self._wall = self._cpu = 0.0

    def __enter__(self) -> None:
        self._token = logs.into(self._log)
        self._started = time.time()
        self._wall, self._cpu = time.perf_counter(), time.thread_time()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        self._wall = time.perf_counter() - self._wall
        self._cpu = time.thread_time() - self._cpu
        if self._token is not None:
            logs.back(self._token)
        self.scratch.remove()
        if error is not None:
            error.__traceback__ = users_frames(frames)
            self._log.write("".join(traceback.format_exception(error)))
        self._log.close()

    def completed(self, outputs: Mapping[str, Artifact], read: int, signer: str) -> StepRun:
        """The record of success. `read` is the size of the inputs in bytes."""
        return StepRun(
            self._run,
            self._call.id,
            self._call.step.reference,
            Status.COMPLETED,
            self._key.digest,
            self._key.parts,
            outputs,
            self._started,
            self._wall,
            self._cpu,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MEMORY_UNIT,
            read,
            sum(artifact.size for artifact in outputs.values()),
            self._number,
            signer=signer,
            verified=True,
        )

    def failed(self, error: BaseException) -> StepRun:
        """The record of what the attempt raised."""
        status = Status.FAILED if isinstance(error, Exception) else Status.STOPPED
        return StepRun(
            self._run,
            self._call.id,
            self._call.step.reference,
            Status.TIMED_OUT if isinstance(error, StepTimeout) else status,
            self._key.digest,
            self._key.parts,
            started=self._started,
            wall=self._wall,
            cpu=self._cpu,
            attempt=self._number,
            failure=Failure(
                type(error).__qualname__,
                str(error),
                "".join(traceback.format_exception(error)),
            ),
        )


def users_frames(frames: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is not ours."""
    frame = frames
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OURS):
        frame = frame.tb_next
    return frame if frame is not None else frames


def vanished(run: str, call: Call, operator: str) -> StepRun:
    """The record of a step whose operator came back and left nothing in the store."""
    message = f"The step operator {operator!r} came back, but step {call.id} left no record."
    failure = Failure("LostStep", message, message + "\n")
    return StepRun(run, call.id, call.step.reference, Status.FAILED, failure=failure)
