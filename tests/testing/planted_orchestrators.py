"""Orchestrators with one defect each, and the test of the suite that must find it.

Run by `test_planted.py` in a pytest of its own; every class but the last is meant to fail.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from penstock.stack import Job, Observer, Orchestrator
from penstock.testing import OrchestratorTests


@dataclass(frozen=True, kw_only=True)
class InTurn(Orchestrator):
    flavor: ClassVar[str] = "in-turn"

    def calls(self, job: Job) -> Sequence[str]:
        return job.pending

    def submit(self, job: Job, observer: Observer) -> Any:
        for call in self.calls(job):
            if not job.execute(call).status.usable:
                return


class AllTwice(InTurn):
    caught_by: ClassVar = "test_a_diamond_runs_each_step_once_and_in_order"

    def calls(self, job: Job) -> Sequence[str]:
        return [call for call in job.pending for _ in range(2)]


class FailedTwice(InTurn):
    caught_by: ClassVar = "test_a_step_that_fails_fails_the_run"

    def submit(self, job: Job, observer: Observer) -> None:
        for call in job.pending:
            if not job.execute(call).status.usable:
                job.execute(call)
                return


class Backwards(InTurn):
    caught_by: ClassVar = "test_a_long_chain_runs_to_its_end"

    def calls(self, job: Job) -> Sequence[str]:
        return list(reversed(job.pending))


class ByValuesOnly(InTurn):
    caught_by: ClassVar = "test_a_step_waits_for_one_that_gives_it_nothing"

    def calls(self, job: Job) -> Sequence[str]:
        return sorted(
            job.pending, key=lambda call: bool(job.plan.graph.calls[call].after), reverse=True
        )


class AnyOrder(InTurn):
    caught_by: ClassVar = "test_any_graph_runs_in_an_order_that_it_allows"

    def calls(self, job: Job) -> Sequence[str]:
        graph = job.plan.graph
        return sorted(job.pending, key=lambda call: -len(graph.calls[call].upstream))


class NotTheLast(InTurn):
    caught_by: ClassVar = "test_a_wide_fan_runs_all_of_it"

    def calls(self, job: Job) -> Sequence[str]:
        return job.pending[:-1]


class HitsToo(InTurn):
    caught_by: ClassVar = "test_only_what_is_missing_runs"

    def calls(self, job: Job) -> Sequence[str]:
        return list(job.plan.graph.calls)


class GoesOn(InTurn):
    caught_by: ClassVar = "test_what_needs_a_failed_step_does_not_run"

    def submit(self, job: Job, observer: Observer) -> None:
        for call in job.pending:
            job.execute(call)


class NeverGathers(InTurn):
    caught_by: ClassVar = "test_a_map_over_a_list_that_a_step_makes_runs_each_item"

    def submit(self, job: Job, observer: Observer) -> None:
        for call in job.pending:
            items = job.expand(call)
            for id in [item.id for item in items] or [call]:
                if not job.execute(id).status.usable:
                    return


class FailedItemsTwice(InTurn):
    caught_by: ClassVar = "test_an_item_that_fails_fails_the_run"

    def submit(self, job: Job, observer: Observer) -> None:
        for call in job.pending:
            for item in job.expand(call):
                job.execute(item.id)
                job.execute(item.id)
            if not job.execute(call).status.usable:
                return


class StopsAtASkippedStep(InTurn):
    caught_by: ClassVar = "test_a_step_whose_condition_does_not_hold_is_skipped"

    def submit(self, job: Job, observer: Observer) -> None:
        for call in job.pending:
            if job.execute(call).status not in ("completed", "cached"):
                return


class Deaf(InTurn):
    caught_by: ClassVar = "test_what_a_step_prints_is_its_log"

    def submit(self, job: Job, observer: Observer) -> None:
        with redirect_stdout(io.StringIO()):
            super().submit(job, observer)


class SaysAnything(InTurn):
    caught_by: ClassVar = "test_submit_says_where_the_run_is_or_nothing"

    def submit(self, job: Job, observer: Observer) -> Any:
        super().submit(job, observer)
        return "done"


PLANTED = [
    kind
    for kind in list(globals().values())
    if isinstance(kind, type) and hasattr(kind, "caught_by")
]


def _suite(kind: type[InTurn]) -> type:
    class Suite(OrchestratorTests):
        @pytest.fixture
        def orchestrator(self) -> Orchestrator:
            return kind()

    return Suite


for _kind in [*PLANTED, InTurn]:
    globals()[f"Test{_kind.__name__}"] = _suite(_kind)
