"""The explainer: why each step of one run ran."""

from __future__ import annotations

from contextlib import suppress

from penstock.errors import NotFound, StoreError
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime.explaining import recorded
from penstock.runtime.explaining.change import Change, Explanation, in_order
from penstock.runtime.explaining.comparison import Comparison
from penstock.runtime.explaining.past import Earlier, Past
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import MALFORMED


class Explainer:
    """Compares each step with the nearest earlier record of it, exactly and by the store only."""

    def __init__(
        self,
        ledger: Ledger,
        record: RunRecord,
        comparison: Comparison,
        past: Past,
        *,
        causes: bool = True,
    ) -> None:
        """With `causes`, of inputs also why they are others."""
        self._ledger = ledger
        self._record = record
        self._comparison = comparison
        self._past = past
        self._causes = causes
        self._cleaned: dict[str, bool] = {}

    def explanation(self, call: str) -> Explanation:
        """Why a step ran, or why it did not. Raises `StoreError` if its record cannot be read."""
        return self.of(self._comparison.steps(call))

    def of(self, step: StepRun) -> Explanation:
        """The same for what is known of the step."""
        if step.status is Status.CACHED and step.source is not None:
            change = self._hit(step.source)
            return Explanation(step.call, step.status, step.source[0], (change,))
        if step.status is Status.SKIPPED:
            return _alone(step, Change("skipped", words=step.why))
        if not step.key:
            words = "it runs now" if step.status is Status.RUNNING else f"it is {step.status}"
            return _alone(step, Change("not-run", words=words))
        return self._computed(step)

    def _computed(self, step: StepRun) -> Explanation:
        reason = recorded.reason(step)
        reasons = [reason] if reason else []
        nearest = self._nearest(step)
        if nearest is None:
            return _alone(step, reason or self._first(step))
        run, other = nearest
        found = [*reasons, *self._comparison.between(run, other, step, causes=self._causes)]
        changes = found or [self._same_key(run, other, step)]
        return Explanation(step.call, step.status, run.run, in_order(changes))

    def _hit(self, source: tuple[str, str]) -> Change:
        run, call = source
        resumed = self._record.resumed == run
        words = f"{'resumed' if resumed else 'taken from the cache'}: run {run}"
        if run not in self._cleaned:
            self._cleaned[run] = self._is_cleaned(run)
        if self._cleaned[run]:
            words += ", which was cleaned"
        return Change("resumed" if resumed else "hit", call, new=run, words=words)

    def _is_cleaned(self, run: str) -> bool:
        try:
            self._ledger.run(run)
        except NotFound:
            return True
        except StoreError:  # it is there, and cannot be read
            return False
        return False

    def _first(self, step: StepRun) -> Change:
        """There is no earlier result: it never ran, or never to its end."""
        failed = self._past.failure(step.call)
        if failed is not None:
            words = f"it has no earlier result, and failed in run {failed.run}"
            return Change("failed", new=failed.run, words=words)
        return Change("never-ran", words="it never ran before")

    def _same_key(self, run: RunRecord, other: StepRun, step: StepRun) -> Change:
        """There is an equal result, and yet the step ran: the cache did not have it."""
        if item := self._past.failed_item(run, step.call):
            words = f"{item} failed in run {run.run}, so that its result was not kept"
            return Change("failed", item, new=run.run, words=words)
        return _same_key(run, other, step)

    def _nearest(self, step: StepRun) -> Earlier | None:
        """The earlier record with the fewest differences, of equal ones the newest."""
        best, fewest = None, float("inf")
        for run, other in self._past.steps(step.call):
            with suppress(*MALFORMED):
                count = self._comparison.distance(run, other, step)
                if count < fewest:
                    best, fewest = (run, other), count
            if fewest == 0:
                break
        return best


def _alone(step: StepRun, change: Change) -> Explanation:
    """An explanation that needs no earlier run."""
    return Explanation(step.call, step.status, "", (change,))


def _same_key(run: RunRecord, other: StepRun, step: StepRun) -> Change:
    """The same for a step that has not failed in any part of it."""
    if recorded.kind(other.why) == "cache-off":
        said = "was not kept: the cache was off there"
        return Change("not-kept", new=run.run, words=f"the result of run {run.run} {said}")
    if other.status is not Status.CACHED and other.started + other.wall > step.started:
        words = f"run {run.run} computed it at the same time"
        return Change("meanwhile", new=run.run, words=words)
    words = f"the cache did not have the result of run {run.run} any more"
    return Change("gone", new=run.run, words=words)
