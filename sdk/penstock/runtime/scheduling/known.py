"""Known schedules: what is written here and what their engines say, together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from penstock.artifacts.store import ArtifactStore, is_key
from penstock.errors import CorruptArtifact, EngineError, NoSuchKey, NotFound, StackError
from penstock.model.cron import Cron
from penstock.runtime.scheduling import record as records
from penstock.runtime.scheduling.engines import Engines
from penstock.runtime.scheduling.record import ScheduleRecord
from penstock.stack.engine import Schedule

State = Literal["active", "paused", "gone", "unfinished", "unknown"]
"""`gone`: somebody has deleted it in the engine. `unfinished`: whoever made it was stopped, and the
engine has none. `unknown`: the engine does not answer."""

Told = Callable[[str], object]
"""Hears what one should know."""


@dataclass(frozen=True, slots=True)
class Known:
    """One schedule."""

    record: ScheduleRecord
    state: State
    schedule: Schedule | None = None
    """As the engine has it."""

    @property
    def next(self) -> datetime | None:
        """When it fires next, as far as that can be told: where it starts to count, only its engine
        knows of one that fires every so many seconds."""
        if self.state != "active" or not self.record.cron:
            return None
        try:
            return Cron.parsed(self.record.cron).next_after(datetime.now(UTC))
        except StackError:  # anybody may have written it
            return None


class Schedulings:
    """Those of one store."""

    def __init__(self, store: ArtifactStore, engines: Engines) -> None:
        self._store = store
        self._engines = engines

    def all(self, told: Told) -> Iterator[Known]:
        """Each of them. An engine that does not answer, and what cannot be read, is told."""
        self._engines.ask_anew()
        silent: set[str] = set()
        for name in records.names(self._store):
            try:
                record = records.read(self._store, name)
            except CorruptArtifact as error:
                told(str(error))
                continue
            if record is None:  # deleted just now
                continue
            try:
                yield self._known(record)
            except (EngineError, StackError) as error:
                if str(error) not in silent:
                    silent.add(str(error))
                    told(str(error))
                yield Known(record, "unknown")

    def pause(self, name: str) -> Known:
        """Let it fire no more, for now. Raises `NotFound`."""
        found, schedule = self._there(name)
        self._engines.of(found).pause_schedule(schedule.remote_id)
        return Known(found, "paused", schedule)

    def resume(self, name: str) -> Known:
        """Let it fire again. Raises `NotFound`."""
        found, schedule = self._there(name)
        self._engines.of(found).resume_schedule(schedule.remote_id)
        return Known(found, "active", schedule)

    def delete(self, name: str) -> Known:
        """Take it away, there and here, and say what it was. Runs that it has started go on."""
        self._engines.ask_anew()
        record = records.find(self._store, name)
        known = self._known(record)
        if known.schedule is not None:
            self._engines.of(record).delete_schedule(known.schedule.remote_id)
        self.forget(name)
        return known

    def forget(self, name: str) -> None:
        """Delete what is written here, whatever the engine has. Raises `NotFound`."""
        if not is_key(where := records.key(name)) or name not in records.names(self._store):
            records.find(self._store, name)
        with suppress(NoSuchKey):  # somebody else was first
            self._store.delete(where)

    def _known(self, record: ScheduleRecord) -> Known:
        schedule = self._engines.schedule(record)
        if schedule is None:
            return Known(record, "unfinished" if record.remote_id is None else "gone")
        return Known(record, "active" if schedule.is_active else "paused", schedule)

    def _there(self, name: str) -> tuple[ScheduleRecord, Schedule]:
        """One that its engine has. Raises `NotFound`."""
        self._engines.ask_anew()
        record = records.find(self._store, name)
        known = self._known(record)
        if known.schedule is not None:
            return record, known.schedule
        engine = self._engines.name(record)
        if known.state == "unfinished":
            raise NotFound(
                f"The schedule {name!r} was begun by {record.user}, and never made: {engine} has "
                "none.",
                hint=f"Create it again, or type: penstock schedule delete {name}",
            )
        raise NotFound(
            f"The schedule {name!r} is gone: {engine} has none any more, so that somebody has "
            "deleted it there.",
            hint=f"Type: penstock schedule delete {name}",
        )
