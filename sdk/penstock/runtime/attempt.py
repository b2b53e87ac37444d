"""One attempt at one call: its clock, its log, its scratch folder, and the record of it."""

from __future__ import annotations

import contextvars
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from penstock.artifacts.store import ArtifactStore
from penstock.errors import StepTimeout
from penstock.model.graph import Call
from penstock.model.records import Artifact, Status, StepRun
from penstock.runtime import context, logs
from penstock.runtime.cache import Miss
from penstock.runtime.capturing import capture
from penstock.runtime.context import Context
from penstock.runtime.masking import Mask
from penstock.runtime.scratch import Scratch
from penstock.runtime.stopping import is_end
from penstock.runtime.tracebacks import failure, trim

if TYPE_CHECKING:
    from penstock.runtime.checkpoints import Checkpoints

_MEMORY_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of `ru_maxrss` (getrusage(2))."""


class Attempt:
    """Around the work of a step. What is printed meanwhile is the step's."""

    def __init__(
        self,
        call: Call,
        run: str,
        missed: Miss,
        number: int,
        store: ArtifactStore,
        mask: Mask,
        checkpoints: Callable[[], Checkpoints],
    ) -> None:
        self.scratch = Scratch()
        self.context = Context(run, call.id, number, {}, self.scratch, checkpoints)
        self._call = call
        self._run = run
        self._key = missed.key
        self._why = missed.why
        self._number = number
        self._mask = mask
        self._log = logs.StepLog(store, run, call.id, mask)
        self._token: contextvars.Token[Any] | None = None
        self._context: contextvars.Token[Any] | None = None
        self._started = self._wall = self._cpu = 0.0
        self._process = os.getpid()

    @property
    def nonce(self) -> str:
        """A name for this attempt in the store; its log has the same."""
        return self._log.nonce

    def __enter__(self) -> None:
        self._token = capture.into(self._log)
        self._context = context.enter(self.context)
        self._started = time.time()
        self._wall, self._cpu = time.perf_counter(), time.thread_time()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        if os.getpid() != self._process:
            self._leave_fork(error)
        self._wall = time.perf_counter() - self._wall
        self._cpu = time.thread_time() - self._cpu
        if self._token is not None:
            capture.back(self._token)
        if self._context is not None:
            context.leave(self._context)
        self.scratch.remove()
        if error is not None:
            trim(error, self._call.step.function)
            self._log.conclude("".join(traceback.format_exception(error)))
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
            sum(artifact.total for artifact in outputs.values()),
            self._number,
            metadata=self._metadata,
            signer=signer,
            verified=True,
            why=self._why,
        )

    def failed(self, error: BaseException) -> StepRun:
        """The record of what the attempt raised."""
        status = Status.STOPPED if is_end(type(error)) else Status.FAILED
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
            metadata=self._metadata,
            failure=failure(error, "".join(traceback.format_exception(error)), self._mask),
            why=self._why,
        )

    def given_up(self, error: BaseException) -> StepRun:
        """The record of an attempt that does not come back to its end. For other threads."""
        trim(error, self._call.step.function)
        self._log.conclude("".join(traceback.format_exception(error)))
        self._log.close()
        ended = self.failed(error)
        # How long it has computed, only its own thread can tell.
        return replace(ended, wall=time.perf_counter() - self._wall, cpu=0.0)

    def _leave_fork(self, error: BaseException | None) -> NoReturn:
        """The step has forked, and this is the child: the step is the parent's to finish."""
        code = 0
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        elif error is not None:
            trim(error, self._call.step.function)
            traceback.print_exception(error)
            code = 1
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        self._log.close()
        os._exit(code)

    @property
    def _metadata(self) -> Mapping[str, Any]:
        """What the step said of itself, without the secrets."""
        masked: Mapping[str, Any] = self._mask.plain(self.context.metadata)
        return masked
