"""The executor: how a step runs, on every orchestrator, in every process."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from penstock.artifacts.formats.failure import FAILURE, FailureFormat
from penstock.artifacts.values import Values
from penstock.digest import of_buffers
from penstock.errors import StepError
from penstock.lazy import lazy
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Artifact, Failure, Status, StepRun
from penstock.runtime import calling, hooks
from penstock.runtime.attempt import Attempt, vanished
from penstock.runtime.cache import Cache, Key, Miss
from penstock.runtime.checkpoints import Checkpoints
from penstock.runtime.inputs import Inputs
from penstock.runtime.ledger import Ledger
from penstock.runtime.planner import Found
from penstock.runtime.runid import nonce
from penstock.stack.orchestrator import Observer
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import apart
else:
    apart = lazy("penstock.runtime.apart")  # only for steps in processes of their own


class Executor:
    """A job (see `penstock.stack.orchestrator.Job`): the calls of one plan, carried out."""

    def __init__(
        self,
        plan: Plan,
        stack: Stack,
        ledger: Ledger,
        values: Values,
        cache: Cache,
        observer: Observer,
        found: Found,
    ) -> None:
        self.plan = plan
        self._stack = stack
        self._ledger = ledger
        self._values = values
        self._cache = cache
        self._observer = observer
        self.results: dict[str, StepRun] = dict(found.hits)
        """What is known of each call so far."""
        self._known = dict(found.misses)
        self.digests: dict[str, str] = {}
        """Digests of the records that were written here."""
        self.errors: dict[str, BaseException] = {}
        """What the failed steps raised."""
        self.running: dict[str, float] = {}
        """Calls that are being carried out → when they began, seconds since 1970, UTC."""
        self.stopped = threading.Event()
        """Set when the run is to stop: nobody waits for another attempt any more."""
        self._inputs = Inputs(plan, self.results, values)

    @cached_property
    def pending(self) -> Sequence[str]:
        return [call for call in self.plan.graph.calls if call not in self.results]

    def record(self, call_id: str) -> StepRun | None:
        return self._ledger.step(self.plan.run, call_id)

    def command(self, call_id: str) -> Sequence[str]:
        return [
            *[sys.executable, "-m", "penstock.runtime.entrypoint"],
            *["--run", self.plan.run, "--call", call_id, "--plan", self._plan_digest],
            *["--stack", json.dumps(self.plan.stack)],
        ]

    @cached_property
    def _plan_digest(self) -> str:
        return of_buffers([self.plan.to_bytes()])

    @property
    def environment(self) -> Mapping[str, str]:
        return self._stack.environment

    def execute(self, call_id: str, *, environment: Mapping[str, str] | None = None) -> StepRun:
        call = self.plan.graph.calls[call_id]
        self._begin(call)
        if call.step.options.step_operator is not None or environment is not None:
            self._tell_start(call)
            return self._done(call, self._handed_over(call, environment or {}), told=True)
        return self._done(call, self._carried_out(call, told=True), told=True)

    def execute_here(self, call_id: str) -> StepRun:
        """Run the call in this process, also if a step operator is meant to: it has called us.

        Hooks are told by whoever called the operator.
        """
        call = self.plan.graph.calls[call_id]
        self._begin(call)
        return self._done(call, self._carried_out(call))

    def _carried_out(self, call: Call, *, told: bool = False) -> StepRun:
        """Look the call up, and try it as often as it may be tried."""
        reusable = call.id not in self.plan.uncached
        found = self._known.pop(call.id, None) or self._look_up(call, reusable)
        if isinstance(found, StepRun):
            return found
        key = found.key
        if found.why:
            self._observer.note(f"{call.id} runs again: {found.why}")
        if found.useless:
            self._cache.forget(key)
        if told:
            self._tell_start(call, key)
        number = 1
        while True:
            result, error = self._attempt(call, key, number, reusable)
            if error is None or not self._tries_again(call, result, error):
                return result
            number += 1

    def _tries_again(self, call: Call, result: StepRun, error: BaseException) -> bool:
        """Whether another attempt is worth it; if so, after the wait before it."""
        retry = call.step.options.retry
        if result.attempt > retry.times or not retry.covers(error):
            return False
        wait = retry.wait(result.attempt)
        again = f", again in {wait:.1f} s" if wait else ""
        tries = f"attempt {result.attempt} of {retry.times + 1}"
        self._observer.note(f"{call.id} failed ({_first_line(result)}), {tries}{again}")
        return not (wait and self.stopped.wait(wait))

    def _begin(self, call: Call) -> None:
        self.running[call.id] = time.time()
        self._observer.step_started(call)

    def _done(self, call: Call, result: StepRun, *, told: bool = False) -> StepRun:
        self.running.pop(call.id, None)
        if result.failure is not None and call.item and self._stack.orchestrator.collects:
            result = self._collected(call, result)
        self.results[call.id] = result
        self._observer.step_finished(result)
        if told and result.status is not Status.CACHED:
            options = call.step.options
            hook = options.on_success if result.failure is None else options.on_failure
            hooks.call(hook, result, self._observer)
        return result

    def _tell_start(self, call: Call, key: Key | None = None) -> None:
        if (hook := call.step.options.on_start) is not None:
            digest, parts = (key.digest, key.parts) if key else ("", "{}")
            now = time.time()
            record = StepRun(
                self.plan.run, call.id, call.step.reference, Status.RUNNING, digest, parts,
                started=now,
            )  # fmt: skip
            hooks.call(hook, record, self._observer)

    def _collected(self, call: Call, result: StepRun) -> StepRun:
        """The failure of an item of a map as its outputs, for this run only."""
        if result.outputs or result.failure is None:
            return result
        # Without the traceback: equal failures are to be equal inputs of what comes next.
        failure = replace(result.failure, traceback="", step=call.id)
        data = FailureFormat(Failure).dump(failure)
        artifact = self._values.stored(FAILURE, data)
        outputs = {output.name: artifact for output in call.step.signature.outputs}
        result = replace(result, outputs=outputs, verified=True)
        self.digests[call.id] = self._ledger.finish(result, reusable=False)
        return result

    def settle(self) -> Status:
        """Read what was done in other processes, and say what became of the run."""
        for call in self.pending:
            if call not in self.results and (record := self._recorded(call)) is not None:
                self.results[call] = record
        if any(not item.usable for item in self.results.values()):
            return Status.FAILED
        return (
            Status.COMPLETED if len(self.results) == len(self.plan.graph.calls) else Status.STOPPED
        )

    def _recorded(self, call: str) -> StepRun | None:
        """What the store says of a call: its result, else its last attempt."""
        found = self.record(call)
        if found is not None:
            self.digests[call] = self._ledger.step_digest(self.plan.run, call)
        elif attempts := self._ledger.attempts(self.plan.run, call):
            found = attempts[-1]
        return found

    def _handed_over(self, call: Call, environment: Mapping[str, str]) -> StepRun:
        """Have the call run by its step operator, or in a process of its own; what the store says
        afterwards counts."""
        name = call.step.options.step_operator
        operator = self._stack.step_operator(name) if name is not None else None
        run = apart.run if operator is None else operator.run
        raised = None
        try:
            run(_Handed(self, environment), call.id)
        except Exception as error:
            raised = error
        # The step's own story comes first: an operator may raise because the step failed.
        found = self._recorded(call.id)
        if found is None:
            found = vanished(self.plan.run, call, name, raised)
            self._ledger.attempt(found, nonce())
        if (failure := found.failure) is not None:
            told = StepError(failure.kind, failure.message, failure.traceback)
            self.errors.setdefault(call.id, raised if raised and not found.key else told)
        return found

    def _look_up(self, call: Call, reusable: bool) -> StepRun | Miss:
        """A hit that was found while running belongs to this run's records, too."""
        key = self._cache.key(call, self.results)
        found = self._cache.look_up(key) if reusable else Miss(key)
        if isinstance(found, Miss):
            return found
        result = found.reused(self.plan.run, call.id)
        self.digests[call.id] = self._ledger.finish(result, reusable=False)
        return result

    def _attempt(
        self, call: Call, key: Key, number: int, reusable: bool
    ) -> tuple[StepRun, BaseException | None]:
        """One attempt, from the inputs to the record. What the step raises becomes a record, and
        comes with it."""
        attempt = Attempt(
            call, self.plan.run, key, number, self._ledger.store,
            lambda: self._checkpoints(call, key, reusable),
        )  # fmt: skip
        try:
            with attempt:
                first, rest, read = self._inputs.arguments(call, attempt.scratch.folder)
                with calling.limit(call):
                    value = call.step.function(*first, **rest)
                    if type(value) is CoroutineType:
                        value = calling.awaited(value, call)
                outputs = self._saved(call, value)
        except BaseException as error:
            result = attempt.failed(error)
            self._ledger.attempt(result, attempt.nonce)
            if not isinstance(error, Exception):  # Ctrl-C, or the end of the process
                self._observer.step_finished(result)
                raise
            self.errors[call.id] = error
            return result, error
        result = attempt.completed(outputs, read, self._ledger.keys.signing.id)
        self.digests[call.id] = self._ledger.finish(result, reusable=reusable)
        attempt.context.done()
        return result, None

    def _checkpoints(self, call: Call, key: Key, reusable: bool) -> Checkpoints:
        return Checkpoints(
            self._ledger, self._values, self.plan.run, call.id, key.digest, shared=reusable
        )

    def _saved(self, call: Call, value: Any) -> dict[str, Artifact]:
        signature = call.step.signature
        return {
            output.name: self._values.save(
                item, output.hint, f"Output {output.name!r} of step {call.id}"
            )
            for output, item in zip(signature.outputs, signature.split(value, call.id), strict=True)
        }


class _Handed:
    """The job as a step operator gets it: its command runs the step itself, in its place."""

    def __init__(self, job: Executor, environment: Mapping[str, str]) -> None:
        self._job = job
        self.plan = job.plan
        self.pending = job.pending
        self.record = job.record
        self.environment = {**job.environment, **environment}

    def execute(self, call_id: str, *, environment: Mapping[str, str] | None = None) -> StepRun:
        """In this process, whoever asks for one of its own: it is the operator that gives one."""
        return self._job.execute_here(call_id)

    def command(self, call_id: str) -> Sequence[str]:
        return [*self._job.command(call_id), "--here"]


def _first_line(result: StepRun) -> str:
    failure = result.failure
    return f"{failure.kind}: {failure.message}".splitlines()[0] if failure else ""
