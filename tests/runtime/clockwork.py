"""An engine with schedules and without a clock: a test says when one fires. What it has lies in a
file, so that other processes have the same engine; each firing is a job of its own, of pods."""

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pods

from penstock import Stack
from penstock.errors import EngineError, EngineUnsure, NameTaken, NotFound
from penstock.stack.engine import Schedule, Timing
from penstock.stack.orchestrator import Job

Fault = Callable[[], None]


def nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class Clockwork(pods.Engine):
    flavor: ClassVar[str] = "engine"
    before: ClassVar[Fault] = staticmethod(nothing)
    """Happens when it is told of a schedule, before it has that."""
    after: ClassVar[Fault] = staticmethod(nothing)
    """And once it has it."""

    place: str

    def schedule(self, job: Job, name: str, timing: Timing, *, at_once: int, mark: str) -> Schedule:
        self.before()
        with self._changed() as known:
            for id_, each in known.items():
                if each["name"] == name and each["mark"] != mark:
                    raise NameTaken(f"There is another {name!r} here.")
                if each["name"] == name:
                    return self._schedule(id_, each)
            id_ = f"recurring-{len(known)}"
            known[id_] = {
                "name": name, "mark": mark, "cron": timing.cron, "every": timing.every,
                "at_once": at_once, "active": True, "commands": self.compile(job),
            }  # fmt: skip
        self.after()
        return self._schedule(id_, known[id_])

    def schedules(self) -> list[Schedule]:
        if Path(self.place).with_suffix(".down").exists():
            raise EngineError("The engine does not answer.")
        with self._changed() as known:
            return [self._schedule(id_, each) for id_, each in known.items()]

    def pause_schedule(self, remote_id: str) -> None:
        self._switch(remote_id, active=False)

    def resume_schedule(self, remote_id: str) -> None:
        self._switch(remote_id, active=True)

    def delete_schedule(self, remote_id: str) -> None:
        with self._changed() as known:
            known.pop(remote_id, None)

    def fired(self, folder: Path, name: str) -> pods.Cluster:
        """What one of them starts now: a new job, whose pods a test may run."""
        with self._changed() as known:
            (found,) = [each for each in known.values() if each["name"] == name and each["active"]]
        return pods.Cluster(folder, json.loads(found["commands"]), job=str(uuid.uuid4()))

    @property
    def known(self) -> Mapping[str, Any]:
        """All that it has."""
        with self._changed() as known:
            return known

    def _switch(self, remote_id: str, *, active: bool) -> None:
        with self._changed() as known:
            if remote_id not in known:
                raise NotFound("It is gone.")
            known[remote_id]["active"] = active

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        file = Path(self.place)
        known = json.loads(file.read_text()) if file.exists() else {}
        yield known
        file.write_text(json.JSONEncoder().encode(known))

    @staticmethod
    def _schedule(id_: str, data: Mapping[str, Any]) -> Schedule:
        timing = Timing(data["cron"], data["every"])
        return Schedule(id_, data["name"], timing, data["active"], data["mark"])


def unsure() -> None:
    raise EngineUnsure("The answer was lost.")


def refuses() -> None:
    raise EngineError("The engine wants none.")


def dies() -> None:
    os._exit(9)


def stack_in(folder: Path, name: str = "prod") -> Stack:
    place = folder.with_name(f"{folder.name}-engine.json")  # no part of the project
    engine = Clockwork(place=str(place))
    return Stack(name, orchestrator=engine, artifact_store=pods.store_in(folder))
