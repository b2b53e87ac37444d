"""One each: in a pod a step is tried once, and its engine starts another pod for the next try."""

from __future__ import annotations

import time
from collections.abc import Collection

from penstock.model.graph import Call
from penstock.model.records import Status, StepRun
from penstock.runtime.ledger import Ledger
from penstock.runtime.runid import nonce
from penstock.runtime.stopping import Stop
from penstock.stack.orchestrator import Observer


class OneEach:
    """Attempts are numbered by what the store has of those before. A pod that has refused to try
    counts for its engine, and for nobody else."""

    def __init__(self, ledger: Ledger, run: str) -> None:
        self._ledger = ledger
        self._run = run
        self._tried: Collection[str] | None = None
        self._before: dict[str, list[StepRun]] = {}

    def first(self, call: Call) -> int:
        last = self.last(call.id)
        return last.attempt + 1 if last else 1

    def again(
        self, call: Call, result: StepRun, error: BaseException, observer: Observer, stop: Stop
    ) -> bool:
        return False

    def begins(self, call: Call) -> bool:
        return self.last(call.id) is None

    def ends(self, call: Call, result: StepRun) -> bool:
        last_one = result.attempt > call.step.options.retry.times
        return result.failure is None or bool(result.final) or last_one

    def last(self, call: str) -> StepRun | None:
        """The last attempt that failed, in this pod or in one before it."""
        if self._tried is None:
            folders = self._ledger.store.keys(f"runs/{self._run}/attempts/")
            self._tried = {entry.name for entry in folders}
        if call not in self._before:
            found = self._ledger.attempts(self._run, call) if call in self._tried else []
            self._before[call] = sorted(found, key=lambda each: each.attempt)
        return self._before[call][-1] if self._before[call] else None

    def refused(self, call: Call) -> StepRun | None:
        """The record of an attempt that is none: the one before, whose number it has, has failed of
        what retries are not for, and the engine, which cannot know, has begun another.

        Who wants the step to be tried again all the same does so after the last of them.
        """
        last = self.last(call.id)
        if last is None or not last.final:
            return None
        if len(self._before[call.id]) > call.step.options.retry.times:
            return None
        record = StepRun(
            self._run, call.id, last.step, Status.FAILED, last.key, last.parts,
            started=time.time(), attempt=last.attempt, failure=last.failure, final=last.final,
        )  # fmt: skip
        self._ledger.attempt(record, nonce())
        return record
