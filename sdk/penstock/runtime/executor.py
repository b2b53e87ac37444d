"""The executor: how a step runs, on every orchestrator, in every process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import CoroutineType
from typing import Any

from penstock.artifacts.values import Trust, Values
from penstock.digest import of_buffers
from penstock.model import binding as bindings
from penstock.model import plain
from penstock.model.binding import Binding, Held, Literally, Use
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Artifact, Status, StepRun
from penstock.model.step import Step
from penstock.runtime import calling
from penstock.runtime.attempt import Attempt, vanished
from penstock.runtime.cache import Cache, Key, Miss
from penstock.runtime.ledger import Ledger
from penstock.runtime.planner import Found
from penstock.runtime.runid import nonce
from penstock.stack.orchestrator import Observer
from penstock.stack.stack import Stack


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

    def execute(self, call_id: str) -> StepRun:
        call = self.plan.graph.calls[call_id]
        if (operator := call.step.options.step_operator) is not None:
            self._observer.step_started(call)
            return self._done(self._operated(call, operator))
        return self.execute_here(call_id)

    def execute_here(self, call_id: str) -> StepRun:
        """Run the call in this process, also if a step operator is meant to: it has called us."""
        call = self.plan.graph.calls[call_id]
        self._observer.step_started(call)
        reusable = call_id not in self.plan.uncached
        found = self._known.pop(call_id, None) or self._look_up(call, reusable)
        if isinstance(found, StepRun):
            return self._done(found)
        key = found.key
        if found.why:
            self._observer.note(f"{call_id} runs again: {found.why}")
        if found.useless:
            self._cache.forget(key)
        number = 1
        while True:
            result = self._attempt(call, key, number, reusable)
            if result.status.usable or number > call.step.options.retries:
                return self._done(result)
            if result.failure:
                said = f"{result.failure.kind}: {result.failure.message}".splitlines()[0]
                tries = f"attempt {number} of {call.step.options.retries + 1}"
                self._observer.note(f"{call_id} failed ({said}), {tries}")
            number += 1

    def _done(self, result: StepRun) -> StepRun:
        self.results[result.call] = result
        self._observer.step_finished(result)
        return result

    def settle(self) -> Status:
        """Read what was done in other processes, and say what became of the run."""
        for call in self.pending:
            if call not in self.results and (record := self._recorded(call)) is not None:
                self.results[call] = record
        if any(not item.status.usable for item in self.results.values()):
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

    def _operated(self, call: Call, name: str) -> StepRun:
        """Have a step operator run the call; what the store says afterwards counts."""
        operator = self._stack.step_operator(name)
        assert operator is not None, "checked before the run"
        raised = None
        try:
            operator.run(_Handed(self), call.id)
        except Exception as error:
            raised = error
        # The step's own story comes first: an operator may raise because the step failed.
        found = self._recorded(call.id)
        if found is None:
            found = vanished(self.plan.run, call, name, raised)
            self._ledger.attempt(found, nonce())
            if raised is not None:
                self.errors[call.id] = raised
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

    def _attempt(self, call: Call, key: Key, number: int, reusable: bool) -> StepRun:
        """One attempt, from the inputs to the record. What the step raises becomes a record."""
        attempt = Attempt(call, self.plan.run, key, number, self._ledger.store)
        try:
            with attempt:
                arguments, read = self._arguments(call, attempt.scratch.folder)
                first, rest = call.step.signature.arguments(arguments)
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
            return result
        result = attempt.completed(outputs, read, self._ledger.keys.signing.id)
        self.digests[call.id] = self._ledger.finish(result, reusable=reusable)
        return result

    def _arguments(self, call: Call, folder: Callable[[], Path]) -> tuple[dict[str, Any], int]:
        """The arguments as the store holds them, and how many bytes they are."""
        read = 0
        parameters = call.step.signature.parameters

        def leaf(item: Binding, hint: Any = None) -> Any:
            nonlocal read
            if type(item) is Literally:
                return plain.decode(item.text)
            artifact, trust, hint = self._source(item, hint)
            read += artifact.size
            who = f"{self._origin(item)} (an input of step {call.id})"
            return self._values.load(artifact, hint, who, folder, trust)

        arguments = {}
        for name, item in call.bindings.items():
            hint = parameters[name].hint
            if type(item) is bindings.Group:
                arguments[name] = bindings.rebuilt(item, leaf, hint)
            else:
                arguments[name] = leaf(item, hint)
        return arguments, read

    def _source(self, item: Binding, hint: Any) -> tuple[Artifact, Trust, Any]:
        """The artifact behind a binding, whether it may be unpickled, and its annotation."""
        if type(item) is Use:
            made = self.results[item.call]
            step = self.plan.graph.calls[item.call].step
            return made.outputs[item.output], Trust(made.verified, made.signer), _hint(step, item)
        assert type(item) is Held
        return item.artifact, Trust(item.vouched), hint

    def _origin(self, item: Binding) -> str:
        """Whose output it is, for errors."""
        if type(item) is Use:
            run, call, output = self.plan.run, item.call, item.output
        elif type(item) is Held and item.origin:
            run, call, output = item.origin
        else:
            return "A value given to the run"
        return f"Output {output!r} of step {call} in run {run}"

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

    def __init__(self, job: Executor) -> None:
        self._job = job
        self.plan = job.plan
        self.pending = job.pending
        self.execute = job.execute_here
        self.record = job.record

    def command(self, call_id: str) -> Sequence[str]:
        return [*self._job.command(call_id), "--here"]


def _hint(step: Step[..., Any], use: Use) -> Any:
    return next(item.hint for item in step.signature.outputs if item.name == use.output)
