"""Engines: who is asked for a schedule, and what it has of those that are written here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from penstock.errors import CannotRun, StackError
from penstock.runtime.scheduling.record import ScheduleRecord
from penstock.stack.engine import Schedule, Schedules
from penstock.stack.orchestrator import Orchestrator
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack


class Engines:
    """Each of them is asked once for all that it has, until they are to be asked anew."""

    def __init__(self, registry: Registry, active: Stack) -> None:
        self._registry = registry
        self._active = active
        self._found: dict[str, tuple[Orchestrator, Sequence[Schedule]]] = {}

    def ask_anew(self) -> None:
        """What they have said by now may have changed."""
        self._found.clear()

    def schedule(self, record: ScheduleRecord) -> Schedule | None:
        """What the engine has of it. Raises as `Schedules.schedules`, and `CannotRun` if nobody
        can be asked."""
        _, found = self._asked(record)
        for each in found:
            same = each.name == record.name and each.mark == record.mark
            if same and record.remote_id in (None, each.remote_id):
                return each
        return None

    def name(self, record: ScheduleRecord) -> str:
        """The name of its orchestrator. Raises as `schedule`."""
        return self._asked(record)[0].name

    def of(self, record: ScheduleRecord) -> Schedules:
        """Who has it. Raises `CannotRun`."""
        found = self._orchestrator(record)
        if isinstance(found, Schedules):
            return found
        raise self._nobody(record)

    def _asked(self, record: ScheduleRecord) -> tuple[Orchestrator, Sequence[Schedule]]:
        if record.stack not in self._found:
            orchestrator = self._orchestrator(record)
            found = self.of(record).schedules()
            self._found[record.stack] = orchestrator, found
        return self._found[record.stack]

    def _orchestrator(self, record: ScheduleRecord) -> Orchestrator:
        """That of the schedule's own stack, or else of the active one, if it is of the same
        flavor."""
        for stack in (partial(self._registry.stack, record.stack, "asked for"), self._as_active):
            try:
                found = stack().orchestrator
            except StackError:  # it is not there any more, or cannot be made here
                continue
            if found.flavor == record.orchestrator:
                return found
        raise self._nobody(record)

    def _as_active(self) -> Stack:
        return self._active

    def _nobody(self, record: ScheduleRecord) -> CannotRun:
        return CannotRun(
            f"The schedule {record.name!r} is of the stack {record.stack!r}, with an orchestrator "
            f"of the flavor {record.orchestrator!r}, and there is none here that could be asked.",
            hint="Name a stack that has one: --stack NAME",
        )
