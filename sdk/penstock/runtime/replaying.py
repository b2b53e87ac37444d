"""Replaying: one step of a run once more, on its recorded inputs, in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from types import CoroutineType
from typing import Any

from penstock.artifacts.formats import registry
from penstock.artifacts.hashed import Hashed
from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.source import unnoticed
from penstock.artifacts.values import Values
from penstock.errors import NotFound
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Artifact, RunRecord, Status, StepRun
from penstock.runtime import calling, context, loading, resuming
from penstock.runtime.cache import Cache
from penstock.runtime.context import Context
from penstock.runtime.expansion import Expansions
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.inputs import Inputs
from penstock.runtime.item_lists import ItemLists
from penstock.runtime.ledger import Ledger
from penstock.runtime.outputs import Outputs
from penstock.runtime.scratch import Scratch
from penstock.runtime.secrets import Secrets
from penstock.runtime.tracebacks import trim
from penstock.stack.project import Project
from penstock.stack.registry import Registry


class Replay:
    """One step of a run, to be run again. Nothing of it is written to the store; a checkpoint that
    it keeps is dropped, and none is restored."""

    def __init__(
        self, ledger: Ledger, values: Values, record: RunRecord, plan: bytes, step: str
    ) -> None:
        """Raises `NotFound` if the step's code or its inputs are not there, or it was skipped."""
        self._ledger = ledger
        self._values = values
        self._record = record
        self._refuse_skipped(step)
        self._plan = Plan.from_bytes(plan, record.run, loading.find_step)
        self._id = step
        self._cache = Cache(ledger, values, Fingerprints())
        calls = self._plan.graph.calls
        drawn = (
            calls.get(step) or calls[step.rpartition(".")[0]]
        )  # or the map that it is an item of
        if drawn.over and step == drawn.id:
            raise NotFound(
                f"Step {step} of run {record.run} is a map, and no item of it is named.",
                hint=f"Name one, if it has any: penstock run replay {record.run} {step}.0",
            )
        self._upstream = {call: self._made(call) for call in drawn.upstream}
        lists = ItemLists(values, self._cache.code_now, self._cache.canonical)
        self._call = Expansions(self._plan, self._upstream, values, lists).call(step)

    @property
    def function(self) -> Callable[..., Any]:
        """The step's function, as it is now."""
        return self._call.step.function

    def value(self) -> Any:
        """What the function returns, called in this thread; no timeout, no second attempt.

        Raises what it raises, with the user's frames only.
        """
        call = self._call.with_step(self._call.step.with_options(timeout=None))
        scratch = Scratch()
        token = context.enter(Context(self._record.run, call.id, scratch=scratch))
        try:
            with self._secrets(call):
                inputs = Inputs(self._plan, self._upstream, self._values)
                first, rest, _ = inputs.arguments(call, scratch.folder)
                value = call.step.function(*first, **rest)
                return calling.awaited(value, call) if type(value) is CoroutineType else value
        except BaseException as error:
            trim(error, call.step.function)
            raise
        finally:
            context.leave(token)
            scratch.remove()

    def compared(self, value: Any) -> Mapping[str, bool]:
        """By output, whether this value is what was recorded; empty if nothing was."""
        before = self._before
        if before is None:
            return {}
        scratch = Scratch()
        try:
            store = LocalArtifactStore(path=str(scratch.folder()))
            aside = Values(store, Fingerprints().of_names, Hashed(None))
            lists = ItemLists(aside, self._cache.code_now, self._cache.canonical)
            now = Outputs(aside, lists).saved(self._call, value, unnoticed)
        finally:
            scratch.remove()
        return {name: _are_equal(made, before.outputs.get(name)) for name, made in now.items()}

    @cached_property
    def changed(self) -> str:
        """What is another than in the run, in words: the step's code, packages, variables."""
        if (before := self._before) is None:
            return ""
        now = self._cache.key(self._call, self._upstream)
        return "" if now.digest == before.key else resuming.changed(before.parts, now.parts)

    @cached_property
    def _before(self) -> StepRun | None:
        """What the run has of it."""
        return resuming.committed(self._ledger, self._record, self._id)

    def _refuse_skipped(self, step: str) -> None:
        run = self._record.run
        for id in (step, step.rpartition(".")[0]):  # or the map that it is an item of
            found = self._ledger.step(run, id) if id else None
            if found is not None and found.status is Status.SKIPPED:
                raise NotFound(
                    f"Step {step} of run {run} cannot be run again: it was skipped there, because "
                    f"{found.why}.",
                    hint=f"Name a step that has run: penstock run show {run}",
                )

    def _secrets(self, call: Call) -> AbstractContextManager[None]:
        """Around the call: what the stack of the run has for it. For a step that asks for nothing
        that stack need not be here."""
        if not call.step.options.secrets:
            return nullcontext()
        project = Project.find()
        stack = Registry(project).from_data(self._plan.stack)
        return Secrets(stack, [call], project.root).provided(only=call)

    def _made(self, call: str) -> StepRun:
        """What a step gave that this one needs. Raises `NotFound`."""
        found = self._ledger.step(self._record.run, call)
        found = found or self._ledger.hit_of(self._record, call)
        if found is None or not found.outputs:
            raise NotFound(
                f"Step {self._id} of run {self._record.run} has no inputs to run on: step "
                f"{call}, which it needs, has given nothing.",
                hint=f"penstock run show {self._record.run}",
            )
        return found


def _are_equal(now: Artifact, before: Artifact | None) -> bool:
    if before is None or registry.is_outside(now.format):
        return now == before
    return (now.format, now.digest, now.parts) == (before.format, before.digest, before.parts)
