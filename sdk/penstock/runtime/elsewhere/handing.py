"""Handing: calls that somebody else carries out, and what became of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from penstock.errors import LostStep, StackError, StepError
from penstock.lazy import lazy
from penstock.model.graph import Call
from penstock.model.records import StepRun
from penstock.runtime.cache import Miss
from penstock.runtime.elsewhere.handed import Handed, Whole, is_whole
from penstock.runtime.observer import first_line
from penstock.runtime.progress import Progress
from penstock.runtime.retrying import Tries
from penstock.runtime.stopping import CTRL_C
from penstock.runtime.tracebacks import trim
from penstock.stack.orchestrator import Job

if TYPE_CHECKING:
    from penstock.runtime.elsewhere import apart, vanished
else:
    apart = lazy("penstock.runtime.elsewhere.apart")  # only for steps in processes of their own
    vanished = lazy("penstock.runtime.elsewhere.vanished")  # only when something has gone wrong


class Handing:
    """Hands the calls of one job over: to step operators, workers, or processes of their own."""

    def __init__(self, job: Whole, progress: Progress, tries: Tries) -> None:
        self._job = job
        self._tries = tries
        self._progress = progress

    def result(
        self,
        call: Call,
        environment: Mapping[str, str],
        number: int = 1,
        missed: Miss | None = None,
        by: Callable[[Job, str], None] | None = None,
    ) -> StepRun:
        """What became of it. It is tried again there, and here if whoever tried has vanished;
        `number` is that of the first attempt, `missed` what the cache has said, if it was asked."""
        progress = self._progress
        name = call.step.options.step_operator
        operator = progress.stack.step_operator(name) if name is not None else None
        run = by or (apart.run if operator is None else operator.run)
        environment = {**progress.stack.environment, **progress.secrets.of(call), **environment}
        while True:
            renewed = progress.renewed & call.upstream
            item = call if call.of else None
            job = Handed(self._job, environment, number, missed, item, renewed)
            result, error = self._once(call, partial(run, job, call.id), number)
            if error is None or not self._tries.again(
                call, result, error, progress.observer, progress.stop
            ):
                return result
            number = result.attempt + 1

    def _once(
        self, call: Call, run: Callable[[], None], number: int
    ) -> tuple[StepRun, BaseException | None]:
        """What the store says, and the error if that says nothing."""
        progress = self._progress
        raised = None
        progress.ledger.store.flush()  # for the other process
        try:
            with progress.stop.reach():
                run()
        except Exception as error:
            trim(error)
            raised = error
        except BaseException as error:  # Ctrl-C, or the end of the process
            left = progress.recorded(call.id) or progress.stopped(call, str(error) or CTRL_C)
            progress.given_up(left)
            raise
        # The step's own story comes first: an operator may raise because the step failed.
        found = progress.recorded(call.id)
        if found is not None and is_whole(found, number, call, raised):
            if (failure := found.failure) is not None:
                told = StepError(failure.kind, failure.message, failure.traceback)
                progress.errors[call.id] = told
            return found, None
        number = max(number, found.attempt + 1 if found is not None else 1)
        return self._vanished(call, raised, number)

    def _vanished(
        self, call: Call, raised: Exception | None, number: int
    ) -> tuple[StepRun, BaseException | None]:
        """Write down for them that whoever had it has left nothing."""
        progress = self._progress
        lost, named = vanished.vanished(
            progress.plan.run, call, call.step.options.step_operator, raised, number,
            progress.ledger.store, progress.secrets.mask,
            progress.running.get(call.id, time.time()),
        )  # fmt: skip
        progress.ledger.attempt(lost, named)
        progress.errors[call.id] = why = raised or LostStep(first_line(lost))
        return lost, None if isinstance(why, StackError) else why
