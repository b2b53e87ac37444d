"""Runs as users see them: a door to the records and values of one run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar, overload

from penstock.artifacts.values import Trust, Values
from penstock.errors import NotFound, did_you_mean, listed
from penstock.model import binding as bindings
from penstock.model import plain
from penstock.model import plan as plans
from penstock.model.binding import Binding, Held, Literally, Use
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime import loading, logs, scratch
from penstock.runtime.ledger import Ledger
from penstock.runtime.status import run_status
from penstock.runtime.step_view import StepView

R = TypeVar("R")


class Run(Generic[R]):
    """One run of a pipeline. What it says is read from the store."""

    def __init__(
        self,
        ledger: Ledger,
        values: Values,
        record: RunRecord,
        known: Mapping[str, StepRun] | None = None,
        hints: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._ledger = ledger
        self._values = values
        self._known = known or {}
        self._hints = hints or {}
        self.record = record
        """What was known when it started."""

    @property
    def id(self) -> str:
        """UTC time and chance: `20261122-005412-k3fq-7f3a`. Its tail is enough to find it."""
        return self.record.run

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.record.pipeline

    @property
    def stack(self) -> str:
        """Name of the stack that it runs on."""
        return self.record.stack

    @property
    def started(self) -> float:
        """Seconds since 1970, UTC."""
        return self.record.started

    @property
    def duration(self) -> float:
        """Seconds from start to end, or until now; of a lost run, until the last sign of it."""
        sealed = self._ledger.sealed(self.id)
        if sealed is None and self.status is Status.LOST:
            return self._ledger.last_sign(self.record) - self.started
        return (sealed.ended if sealed else time.time()) - self.started

    @property
    def status(self) -> Status:
        """What became of it, as the store says now."""
        return run_status(self._ledger, self.record)

    @cached_property
    def steps(self) -> Mapping[str, StepView]:
        """Every step by id, in an order in which they can run."""
        return {call: self._view(call) for call in self.record.calls}

    @overload
    def __getitem__(self, step: str) -> StepView: ...
    @overload
    def __getitem__(self, step: tuple[str]) -> Sequence[StepView]: ...
    def __getitem__(self, step: Any) -> Any:
        """A step by id; the steps that a `map` made, as a list, by the name they share."""
        if step in self.record.calls:
            return self._view(step) if "steps" not in self.__dict__ else self.steps[step]
        if each := self.named(step):
            return [self._view(call) for call in each]
        raise NotFound(
            f"Run {self.id} of {self.pipeline!r} has no step {step!r}. "
            f"Its steps: {listed(self.record.calls)}.",
            hint=did_you_mean(step, self.record.calls),
        )

    def named(self, step: str) -> list[str]:
        """The ids that a name stands for: of one step, of all that a `map` made, or none."""
        if step in self.record.calls:
            return [step]
        return [call for call in self.record.calls if self._is_item(call, step)]

    def inputs(self, step: str) -> dict[str, str]:
        """What a step was given, in words: plain data as text, anything else by its name."""
        bound = plans.inputs_in(self._plan, self[step].id)
        return {name: bindings.spoken(item) for name, item in bound.items()}

    def result(self) -> R:
        """What the pipeline returned, in the same shape. Raises `NotFound` if a step is missing."""
        binding = self._result
        if binding is None:
            return None  # type: ignore[return-value]
        return bindings.rebuilt(binding, self._leaf, loading.result_hint(self.record.reference))  # type: ignore[no-any-return]

    def logs(self) -> str:
        """What was printed and logged by no known step."""
        return logs.read(self._ledger.store, self.id, logs.RUN)

    def __repr__(self) -> str:
        return f"<run {self.id} of {self.pipeline!r}: {self.status}>"

    def __iter__(self) -> Iterator[StepView]:
        return iter(self.steps.values())

    @cached_property
    def _plan(self) -> bytes:
        return bytes(self._values.fetch(self.record.plan, f"The plan of run {self.id}"))

    @cached_property
    def _result(self) -> Binding | None:
        written = plain.decode(self._plan)["result"]
        return bindings.from_data(written) if written else None

    def _leaf(self, item: Binding) -> Any:
        if isinstance(item, Literally):
            return plain.decode(item.text)
        if isinstance(item, Use):
            view = self[item.call]
            if item.output not in view.outputs:
                raise NotFound(
                    f"Run {self.id} has no result: step {item.call} is {view.status}.",
                    hint=f"penstock run show {self.id}",
                )
            return view.outputs[item.output].load()
        assert isinstance(item, Held)
        trust = Trust(item.vouched and self.record.verified)
        return self._values.load(
            item.artifact, None, f"The result of run {self.id}", scratch.until_exit, trust
        )

    def _view(self, call: str) -> StepView:
        return StepView(self._ledger, self._values, self._step(call), self._hints.get(call, {}))

    def _step(self, call: str) -> StepRun:
        """The record: known here, written by this run, taken from the cache, or of an attempt."""
        record = self._known.get(call) or self._ledger.step(self.id, call)
        if record is None and call in self.record.hits:
            record = self._ledger.taken(self.id, call, self.record.hits[call])
        if record is None:
            attempts = self._ledger.attempts(self.id, call)
            record = attempts[-1] if attempts else StepRun(self.id, call, "", Status.PENDING)
        return record

    @staticmethod
    def _is_item(call: str, name: str) -> bool:
        head, _, number = call.rpartition(".")
        return head == name and number.isdigit()
