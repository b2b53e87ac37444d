"""The past of a run: the newest runs of its pipeline before it, and their records of its steps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from itertools import islice
from typing import Final

from penstock.errors import NotFound, StoreError
from penstock.model.records import RunRecord, StepRun
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import Expansion
from penstock.runtime.runid import PATTERN

LOOKED: Final = 100
"""Runs of all pipelines that are looked at to find some of this one."""

_WEEK: Final = 7 * 24 * 3600.0

Earlier = tuple[RunRecord, StepRun]


class Past:
    """As far back as is worth a look. What cannot be read is as if it were not there."""

    def __init__(self, ledger: Ledger, record: RunRecord, runs: int, looked: int = LOOKED) -> None:
        """`runs`: how many of them count, the newest; `looked`: of how many of all pipelines."""
        self._ledger = ledger
        self._record = record
        self._most = runs
        self._looked = looked
        self._maps: dict[tuple[str, str], Expansion | None] = {}

    @cached_property
    def runs(self) -> list[RunRecord]:
        """The newest first."""
        return list(islice(self._of_pipeline(), self._most))

    def steps(self, call: str) -> Iterator[Earlier]:
        """The usable records of a step, the newest first, each cache key once."""
        keys = set()
        for run in self.runs:
            if run.hits.get(call) in keys:
                continue
            step = self.usable(run, call)
            if step is not None and step.key and step.key not in keys:
                keys.add(step.key)
                yield run, step

    def failure(self, call: str) -> RunRecord | None:
        """The newest run in which a step was tried, and gave nothing."""
        for run in self.runs:
            if next(self._ledger.store.keys(f"runs/{run.run}/attempts/{call}/"), None) is not None:
                return run
        return None

    def usable(self, run: RunRecord, call: str) -> StepRun | None:
        """What one of them has of a step. A failure that was passed on as data is no result."""
        with suppress(StoreError):
            found = self._ledger.step(run.run, call) or self._hit(run, call)
            return found if found is not None and found.status.usable else None
        return None

    def failed_item(self, run: RunRecord, call: str) -> str:
        """An item of a map that failed in one of them, and was passed on as data; mostly none."""
        if call in run.maps:
            for entry in self._ledger.store.keys(f"runs/{run.run}/attempts/"):
                if entry.name.startswith(f"{call}.") and self._has_failed(run, entry.name):
                    return entry.name
        return ""

    def _has_failed(self, run: RunRecord, call: str) -> bool:
        with suppress(StoreError):
            found = self._ledger.step(run.run, call)
            return found is not None and found.failure is not None
        return False

    def _hit(self, run: RunRecord, call: str) -> StepRun | None:
        """What one of them took from the cache: a step of its plan, or an item of a map."""
        if call in run.hits:
            return self._ledger.hit_of(run, call)
        parent = call.rpartition(".")[0]
        if parent not in run.maps:
            return None
        if (run.run, parent) not in self._maps:
            self._maps[run.run, parent] = self._ledger.expansion(run.run, parent)
        made = self._maps[run.run, parent]
        return self._ledger.hit_of(made, call) if made is not None else None

    def _of_pipeline(self) -> Iterator[RunRecord]:
        for id in islice(self._ids(), self._looked):
            with suppress(NotFound, StoreError):
                run = self._ledger.run(id)
                if run.pipeline == self._record.pipeline:
                    yield run

    def _ids(self) -> Iterator[str]:
        """Run ids, the newest first: of a long history only the last week, if that is enough."""
        day = time.strftime("%Y%m%d", time.gmtime(self._record.started - _WEEK))
        newest = self._between(day)
        yield from newest
        yield from (id for id in self._between("") if id not in set(newest))

    def _between(self, day: str) -> list[str]:
        entries = self._ledger.store.keys("runs/", start_after=f"runs/{day}" if day else "")
        names = [entry.name for entry in entries if entry.key.endswith("/")]
        return [id for id in names if PATTERN.fullmatch(id) and id < self._record.run][::-1]
