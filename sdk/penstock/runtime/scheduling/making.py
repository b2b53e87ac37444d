"""Making a schedule: what it needs, its record, and then the engine is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from penstock.errors import (
    BadConfiguration,
    CannotRun,
    EngineError,
    EngineUnsure,
    KeyTaken,
    NameTaken,
    StackError,
)
from penstock.lazy import lazy
from penstock.model.names import check_name
from penstock.runtime import loading, processes, provenance
from penstock.runtime.preparing import Drawn, Wanted
from penstock.runtime.ready import Ready
from penstock.runtime.scheduling import record as records
from penstock.runtime.scheduling.record import ScheduleRecord
from penstock.stack.engine import Schedule, Schedules, Timing
from penstock.stack.orchestrator import Compiles

if TYPE_CHECKING:
    from penstock.runtime import abilities
else:
    abilities = lazy("penstock.runtime.abilities")  # only where one is missing

_UNABLE: Final = "has no schedules. Stacks whose orchestrators have"

_WHILE: Final = 120.0
"""Seconds in which somebody on another machine has long been answered."""


@dataclass(frozen=True, slots=True)
class Created:
    """A schedule that there is now."""

    record: ScheduleRecord
    schedule: Schedule
    engine: str
    """The name of its orchestrator."""
    notes: Sequence[str]
    """What one should know, a line each."""


def create(wanted: Wanted, name: str, timing: Timing, at_once: int = 1) -> Created:
    """Have a pipeline started by the clock: all of its steps, each of which looks in the cache.

    What was killed in between is completed. Raises `NameTaken`, `CannotRun`, and whatever the
    engine refuses with: then there is no schedule, unless it is `EngineUnsure`.
    """
    loading.refuse_while_importing(f"Scheduling {wanted.name}")
    check_name(name, "schedule")
    if at_once < 1:
        raise BadConfiguration(f"at_once={at_once}: at least one run at a time is needed.")
    drawn = Drawn(wanted)
    if not isinstance(drawn.stack.orchestrator, Schedules):
        raise abilities.lacking("schedule", _UNABLE, drawn.stack, drawn.project)
    return _Creation(drawn, drawn.stack.orchestrator, name, timing, at_once).done()


class _Creation:
    def __init__(
        self, drawn: Drawn, engine: Schedules, name: str, timing: Timing, at_once: int
    ) -> None:
        self._drawn, self._engine = drawn, engine
        self._name, self._timing, self._at_once = name, timing, at_once
        self._store = drawn.stack.artifact_store

    def done(self) -> Created:
        begun = self._begun()
        self._drawn.check()
        ready = Ready(self._drawn, self._store, everything=True)
        record = self._record(ready, begun)
        if isinstance(self._drawn.stack.orchestrator, Compiles):
            ready.text(self._drawn.stack.orchestrator)  # what is wrong with it, before it is sent
        there = self._there(begun, record) if begun else None
        if there is None:
            ready.upload()
            self._claim(record, begun)
            there = self._told(ready, record)
        record = replace(record, remote_id=there.remote_id, url=there.url)
        records.write(self._store, record)
        return Created(record, there, self._drawn.stack.orchestrator.name, ready.notes)

    def _begun(self) -> ScheduleRecord | None:
        """What was begun under this name, and not completed. Raises `NameTaken`."""
        for known in records.names(self._store):
            if known != self._name and known.lower() == self._name.lower():
                raise NameTaken(
                    f"There is a schedule {known!r}, and {self._name!r} differs from it by nothing "
                    "but capitals.",
                    hint="Choose another name: --name NAME",
                )
        found = records.read(self._store, self._name)
        if found is None:
            return None
        if found.remote_id is not None:
            raise self._taken(found)
        if _is_being_made(found, self._store.clock()):
            raise NameTaken(
                f"The schedule {self._name!r} is being made just now, by {found.user} on "
                f"{found.host}.",
                hint="Type: penstock schedule list",
            )
        return found

    def _there(self, begun: ScheduleRecord, record: ScheduleRecord) -> Schedule | None:
        """What the engine has of what was begun. Raises `NameTaken` if that is something else."""
        for each in self._engine.schedules():
            if each.mark == begun.mark:
                if begun.does_as(record):
                    return each
                raise self._taken(begun)
        return None

    def _taken(self, found: ScheduleRecord) -> NameTaken:
        return NameTaken(
            f"There is a schedule {found.name!r} in {self._store.path}: pipeline {found.pipeline}, "
            f"{found.timing}, made by {found.user} on {found.host}.",
            hint="Choose another name: --name NAME; or type: penstock schedule delete "
            f"{found.name}",
        )

    def _record(self, ready: Ready, begun: ScheduleRecord | None) -> ScheduleRecord:
        """What is written before the engine is told. What was begun keeps its mark: the engine may
        still be about to answer."""
        pattern, sent = ready.record, ready.sent
        if sent is None:
            raise CannotRun(f"Pipeline {pattern.pipeline!r} has no steps to be started.")
        process = provenance.process()
        return ScheduleRecord(
            name=self._name,
            mark=begun.mark if begun else token_hex(8),
            pipeline=pattern.pipeline,
            reference=pattern.reference,
            parameters=dict(pattern.parameters),
            stack=pattern.stack,
            orchestrator=pattern.orchestrator,
            cron=self._timing.cron,
            every=self._timing.every,
            at_once=self._at_once,
            plan=pattern.plan,
            record=sent.record,
            code=sent.code,
            user=provenance.user(),
            host=provenance.host(),
            machine=processes.machine(),
            process=process,
            process_started=processes.own_start(process),
            created=time.time(),
        )

    def _claim(self, record: ScheduleRecord, begun: ScheduleRecord | None) -> None:
        try:
            records.write(self._store, record, exclusive=begun is None)
        except KeyTaken:
            found = records.read(self._store, self._name)
            raise self._taken(found or record) from None

    def _told(self, ready: Ready, record: ScheduleRecord) -> Schedule:
        """Tell the engine. What it refuses leaves nothing here."""
        try:
            return self._engine.schedule(
                ready.job, record.name, record.timing, at_once=record.at_once, mark=record.mark
            )
        except EngineUnsure as error:
            raise EngineUnsure(
                error.message,
                hint=f"Type the same again, which completes it if it is there; or type: penstock "
                f"schedule delete {record.name}",
            ) from error
        except (EngineError, StackError):
            self._store.delete(records.key(record.name))
            raise


def _is_being_made(found: ScheduleRecord, now: float) -> bool:
    """Whether somebody else is about to complete it."""
    if found.machine == processes.machine():
        is_own = found.process == provenance.process()
        return not is_own and processes.is_alive(found.process, found.process_started)
    return now - found.created < _WHILE
