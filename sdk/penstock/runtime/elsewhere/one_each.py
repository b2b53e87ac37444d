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
    """Attempts are numbered by what the store has of those before."""

    def __init__(self, ledger: Ledger, run: str) -> None:
        self._ledger = ledger
        self._run = run
        self._tried: Collection[str] | None = None
        self._last: dict[str, StepRun | None] = {}

    def first(self, call: Call) -> int:
        last = self.last(call.id)
        return last.attempt + 1 if last else 1

    def again(
        self, call: Call, result: StepRun, error: BaseException, observer: Observer, stop: Stop
    ) -> bool:
        return False

    def last(self, call: str) -> StepRun | None:
        """The last attempt that failed, in this pod or in one before it."""
        if self._tried is None:
            folders = self._ledger.store.keys(f"runs/{self._run}/attempts/")
            self._tried = {entry.name for entry in folders}
        if call not in self._last:
            found = self._ledger.attempts(self._run, call) if call in self._tried else []
            self._last[call] = max(found, key=lambda each: each.attempt, default=None)
        return self._last[call]

    def refused(self, call: Call) -> StepRun | None:
        """The record of an attempt that is none: the one before has failed of what retries are not
        for, and the engine, which cannot know, has begun another.

        Who wants the step to be tried again all the same does so after the last of them.
        """
        last = self.last(call.id)
        if last is None or not last.final or last.attempt > call.step.options.retry.times:
            return None
        record = StepRun(
            self._run, call.id, last.step, Status.FAILED, last.key, last.parts,
            started=time.time(), attempt=last.attempt + 1, failure=last.failure, final=last.final,
        )  # fmt: skip
        self._ledger.attempt(record, nonce())
        return record
