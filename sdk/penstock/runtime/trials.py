"""Trials: a call tried in this process, from the inputs to the record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from penstock.artifacts.source import Writing, unnoticed
from penstock.lazy import lazy
from penstock.model.graph import Call
from penstock.model.records import StepRun
from penstock.runtime import calling, held, retrying
from penstock.runtime.attempt import Attempt
from penstock.runtime.cache import Key, Miss
from penstock.runtime.progress import Progress
from penstock.runtime.stopping import is_end

if TYPE_CHECKING:
    from penstock.runtime import checkpoints
    from penstock.runtime.checkpoints import Checkpoints
    from penstock.stack import blame
else:
    checkpoints = lazy("penstock.runtime.checkpoints")  # only for steps that ask for them
    blame = lazy("penstock.stack.blame")  # only when something has gone wrong


class Trials:
    """Those of one job."""

    def __init__(
        self, progress: Progress, limit: Callable[[Call], AbstractContextManager[None]]
    ) -> None:
        """`limit` is put around the call of a step's function."""
        self._progress = progress
        self._limit = limit
        self._current: WeakValueDictionary[str, Attempt] = WeakValueDictionary()

    def begun(self, call: Call, missed: Miss, number: int = 1) -> Attempt:
        """An attempt, to be entered."""
        progress = self._progress
        return Attempt(
            call, progress.plan.run, missed, number, progress.ledger.store, progress.secrets.mask,
            partial(self._checkpoints, call, missed.key),
        )  # fmt: skip

    def once(
        self, call: Call, missed: Miss, number: int, reusable: bool, writing: Writing
    ) -> tuple[StepRun, BaseException | None]:
        """One attempt. What the step raises becomes a record, and comes with it."""
        progress = self._progress
        attempt = self._current[call.id] = self.begun(call, missed, number)
        try:
            with attempt, progress.stop.reach():
                if call.over:
                    outputs, read = progress.expansions.gathered(call)
                    reusable = reusable and not progress.expansions.failed(call)
                else:
                    first, rest, read = progress.inputs.arguments(call, attempt.scratch.folder)
                    with self._limit(call):
                        value = call.step.function(*first, **rest)
                        if type(value) is CoroutineType:
                            value = calling.awaited(value, call)
                    alone = held.by_nobody_else(value)
                    outputs = progress.outputs.saved(call, value, writing if alone else unnoticed)
        except BaseException as error:
            result = self.failed(call, attempt, error)
            if is_end(type(error)):
                raise
            return result, error
        if reusable and (now := progress.inputs.changed(call)):
            # Nobody knows which of the two it has seen: for a cache that is not good enough.
            progress.observer.note(
                f"{call.id} is not kept in the cache, an input has changed: {now}"
            )
            reusable = False
        result = attempt.completed(outputs, read, progress.ledger.keys.signing.id)
        progress.keep(result, reusable=reusable, replaces=progress.plan.controls(call).replaces)
        attempt.context.done()
        return result, None

    def given_up(self, call: Call, error: BaseException) -> StepRun:
        """Write down an attempt that does not come back, and that the process ends with. For other
        threads."""
        attempt = self._current[call.id]
        result = replace(attempt.given_up(error), final=retrying.final(call, error))
        self._progress.ledger.attempt(result, attempt.nonce)
        return result

    def failed(self, call: Call, attempt: Attempt, error: BaseException) -> StepRun:
        """The record of an attempt that has raised this."""
        result = attempt.failed(blame.blamed(error) or error)
        if not is_end(type(error)) and (why := retrying.final(call, error)):
            result = replace(result, final=why)
        self._progress.ledger.attempt(result, attempt.nonce)
        if is_end(type(error)):  # Ctrl-C, or the end of the process
            self._progress.given_up(result)
        else:
            self._progress.errors[call.id] = error
        return result

    def _checkpoints(self, call: Call, key: Key) -> Checkpoints:
        progress = self._progress
        return checkpoints.Checkpoints(
            progress.ledger, progress.values, progress.plan.run, call.id, key.digest,
            progress.plan.controls(call),
        )  # fmt: skip
