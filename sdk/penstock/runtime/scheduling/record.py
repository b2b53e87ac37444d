"""Records of schedules: `schedules/<name>` says what there is, who has made it, and what it needs.

It is written before the engine is told, and once more when the engine has answered. So what was
killed in between is known, and nothing that a schedule needs is ever deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from types import NoneType
from typing import Any, Final

from penstock.artifacts.store import ArtifactStore, is_key
from penstock.digest import is_digest
from penstock.errors import CorruptArtifact, NoSuchKey, NotFound, did_you_mean, listed
from penstock.model.names import ALLOWED
from penstock.runtime.notation import MALFORMED
from penstock.stack.engine import Timing

SHELF: Final = "schedules"

_dump: Final = json.JSONEncoder().encode

_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    **dict.fromkeys(("name", "mark", "pipeline", "reference", "stack", "orchestrator"), str),
    **dict.fromkeys(("cron", "plan", "record", "code"), str),
    **dict.fromkeys(("user", "host", "machine", "process_started"), str),
    **dict.fromkeys(("every", "at_once", "process"), int),
    **dict.fromkeys(("remote_id", "url"), (str, NoneType)),
    "parameters": dict,
    "created": (int, float),
}
"""All fields, and what they are."""


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """What is known of a schedule, whatever its engine says."""

    name: str
    mark: str
    """By which it is known again among all that the engine has."""
    pipeline: str
    reference: str
    """`module:qualname` of the pipeline."""
    parameters: Mapping[str, str]
    """As in the record of a run. They are those of each firing."""
    stack: str
    orchestrator: str
    """The flavor of its orchestrator."""
    cron: str
    every: int
    at_once: int
    """How many of its runs there are at most at a time."""
    plan: str
    """The digest of the plan. The runs that it starts have the same."""
    record: str
    """The digest of what each of its runs begins with."""
    code: str
    """That of the project's code; empty if the image has that."""
    user: str
    host: str
    machine: str
    process: int
    process_started: str
    created: float
    """Seconds since 1970, UTC."""
    remote_id: str | None = None
    """None until the engine has answered."""
    url: str | None = None

    @property
    def timing(self) -> Timing:
        return Timing(self.cron, self.every)

    def does_as(self, other: ScheduleRecord) -> bool:
        """Whether another one would start the same, as often and in the same place."""
        names = ("plan", "record", "code", "cron", "every", "at_once", "orchestrator")
        return all(getattr(self, name) == getattr(other, name) for name in names)


def write(store: ArtifactStore, record: ScheduleRecord, *, exclusive: bool = False) -> None:
    """Write it down. Raises `KeyTaken` if there is one and it is to be `exclusive`."""
    store.put(key(record.name), [_dump(asdict(record)).encode()], exclusive=exclusive)


def read(store: ArtifactStore, name: str) -> ScheduleRecord | None:
    """What is written under a name, if something is. Raises `CorruptArtifact`."""
    if not is_key(where := key(name)):
        return None
    try:
        data = bytes(store.get(where))
    except NoSuchKey:
        return None
    try:
        return _of(json.loads(data), name)
    except MALFORMED as error:
        raise CorruptArtifact(
            f"The schedule {name!r} in {store.path} cannot be read: {error!r}.",
            hint=f"Look for it in the engine, and then type: penstock schedule delete {name} "
            "--only-here",
        ) from error


def find(store: ArtifactStore, name: str) -> ScheduleRecord:
    """The same. Raises `NotFound` as well."""
    if (found := read(store, name)) is not None:
        return found
    known = list(names(store))
    raise NotFound(
        f"There is no schedule {name!r} in {store.path}. Schedules: {listed(known)}.",
        hint=did_you_mean(name, known) or "Type: penstock schedule list",
    )


def names(store: ArtifactStore) -> Iterator[str]:
    """Of all schedules, by the alphabet."""
    for entry in store.keys(f"{SHELF}/"):
        if not entry.key.endswith("/") and ALLOWED.fullmatch(entry.name):
            yield entry.name


def key(name: str) -> str:
    return f"{SHELF}/{name}"


def _of(data: dict[str, Any], name: str) -> ScheduleRecord:
    """Raises one of `MALFORMED` for what is none: anybody may have written it."""
    for field, kind in _KINDS.items():
        if not isinstance(data[field], kind) or isinstance(data[field], bool):
            raise ValueError(f"{field} is {data[field]!r}")
    if data["name"] != name:
        raise ValueError(f"it is the schedule {data['name']!r}")
    code = [data["code"]] if data["code"] else []
    if not all(map(is_digest, (data["plan"], data["record"], *code))):
        raise ValueError("what it needs are no digests")
    if not all(isinstance(text, str) for text in data["parameters"].values()):
        raise ValueError("its parameters are no texts")
    if bool(data["cron"]) == (data["every"] > 0) or not 0 <= data["created"] < 2**53:
        raise ValueError("its times are none")
    return ScheduleRecord(**{field: data[field] for field in _KINDS})
