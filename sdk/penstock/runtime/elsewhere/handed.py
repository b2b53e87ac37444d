"""Handed: the job as a step operator gets it, for one step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from penstock.artifacts.source import Writing, unnoticed
from penstock.artifacts.trust import Keyring
from penstock.errors import LostStep, StepTimeout
from penstock.model import binding
from penstock.model.graph import Call
from penstock.model.records import Status, StepRun
from penstock.runtime.cache import Miss
from penstock.runtime.secrets import Secrets
from penstock.stack.orchestrator import Job
from penstock.stack.stack import Stack


class Whole(Job, Protocol):
    """The job of all steps."""

    @property
    def secrets(self) -> Secrets: ...

    @property
    def stack(self) -> Stack: ...

    @property
    def keys(self) -> Keyring:
        """Those that sign and verify its records."""

    def execute_here(self, call_id: str, number: int = 1) -> StepRun:
        """Run the call in this process, in the place of its step operator."""


class Handed:
    """Its command runs the step itself, from attempt `number` on, in the operator's place."""

    def __init__(
        self,
        job: Whole,
        environment: Mapping[str, str],
        number: int,
        missed: Miss | None = None,
        item: Call | None = None,
        renewed: Collection[str] = (),
    ) -> None:
        """`missed` is what the cache has said of the call, if it was asked here; `item` is the
        call, if it was made at run time; `renewed` are calls that it needs and that were
        computed again."""
        self._job = job
        self._number = number
        self._missed = missed
        self._item = item
        self._renewed = renewed
        self.plan = job.plan if item is None else job.plan.with_item(item)
        self.pending = job.pending
        self.record = job.record
        self.environment = environment
        self.mask = job.secrets.mask

    def execute(
        self,
        call_id: str,
        *,
        environment: Mapping[str, str] | None = None,
        writing: Writing = unnoticed,
        by: Callable[[Job, str], None] | None = None,
    ) -> StepRun:
        """In this process, whoever asks for one of its own: it is the operator that gives one."""
        return self._job.execute_here(call_id, self._number)

    def expand(self, call_id: str) -> Sequence[Call]:
        return self._job.expand(call_id)

    def order(self, call_id: str) -> Mapping[str, Any]:
        """What a worker is told, as plain data."""
        order: dict[str, Any] = {"call": call_id, "attempt": self._number}
        if (missed := self._missed) is not None:
            order["missed"] = (missed.key.digest, missed.key.parts, missed.why)
        if (item := self._item) is not None:
            bound = item.bindings[self.plan.graph.calls[item.of].over]
            order["item"] = (item.of, int(item.id.rpartition(".")[2]), binding.to_data(bound))
        if self._renewed:
            order["renewed"] = list(self._renewed)
        return order

    def ending(self, *, run: str, job: str) -> Sequence[str]:
        return self._job.ending(run=run, job=job)

    def command(self, call_id: str, *, run: str = "", job: str = "") -> Sequence[str]:
        again = ["--attempt", str(self._number)] if self._number > 1 else ()
        return [*self._job.command(call_id), "--here", *again]


def is_whole(found: StepRun, number: int, call: Call, raised: BaseException | None) -> bool:
    """Whether a record is the end of the story that began with attempt `number`."""
    if found.usable or found.status is Status.STOPPED:
        return True
    is_last = found.attempt > call.step.options.retry.times
    return found.attempt >= number and (is_last or not isinstance(raised, LostStep | StepTimeout))
