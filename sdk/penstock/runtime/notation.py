"""Notation: how records are written down, and read from bytes that anybody may have written.

Every record is JSON, then a line with the signature of all before it. In the record of a step
there is a line between them: what its cache key is made of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import NoneType
from typing import Any, Final

from penstock.artifacts.trust import Keyring
from penstock.model import plain
from penstock.model.records import Artifact, Failure, RunRecord, Status, StepRun

MALFORMED: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What goes wrong with bytes that are not the record they should be."""

_load: Final = json.JSONDecoder().decode
_dump: Final = json.JSONEncoder(separators=(",", ":")).encode

_MOST: Final = 2**53
"""What no time, size or count reaches; calendars and clocks would stumble over more."""

_Kinds = Mapping[str, type | tuple[type, ...]]
_NUMBER: Final = (int, float)
_STEP: Final[_Kinds] = {
    **dict.fromkeys(("run", "call", "step", "status", "key"), str),
    **dict.fromkeys(("started", "wall", "cpu"), _NUMBER),
    **dict.fromkeys(("peak_memory", "read", "written", "attempt"), int),
    "outputs": dict,
}
_RUN: Final[_Kinds] = {
    **dict.fromkeys(("run", "pipeline", "reference", "plan", "stack", "stack_origin"), str),
    **dict.fromkeys(("orchestrator", "user", "host", "code"), str),
    **dict.fromkeys(("machine", "process_started", "resumed", "part", "job"), str),
    **dict.fromkeys(("parameters", "versions", "hits", "sources"), dict),
    "process": int,
    "started": _NUMBER,
    "commit": (str, NoneType),
    "calls": list,
    **dict.fromkeys(("described", "maps"), (list, tuple)),
    "elsewhere": bool,
}
_END: Final[_Kinds] = {
    "run": str, "status": str, "ended": _NUMBER, "steps": dict, "why": str, "keys": dict,
}  # fmt: skip
_EXPANSION: Final[_Kinds] = {
    "run": str, "call": str, "count": int, "hits": dict, "sources": dict,
}  # fmt: skip
MOST_ITEMS: Final = 10_000_000
"""Items that no map has: whoever reads a record lists them all."""

_LATER: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("machine", "process_started", "why", "resumed", "part", "job"), ""),
    **dict.fromkeys(("described", "maps"), ()),
    "sources": {},
    "keys": {},
    "elsewhere": False,
}
"""Fields that records of 0.1.0 lack, or that are left out if there is nothing to say."""


@dataclass(frozen=True, slots=True)
class End:
    """The seal of a run: how it ended, and which records belong to it."""

    run: str
    status: Status
    ended: float
    """Seconds since 1970, UTC."""
    steps: Mapping[str, str]
    """Call → digest of its record, for the calls that this run executed."""
    why: str = ""
    """What stopped it, in words: "Ctrl-C", "cancelled by ann on laptop"."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Call → cache key, for those of `steps` whose results the cache has, so that the next run of
    the pipeline can ask for all at once. Only where the store is distant."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a map over a list known at run time became."""

    run: str
    call: str
    """The map."""
    count: int
    """How many calls it became: `train.0`, `train.1`, …"""
    hits: Mapping[str, str]
    """Call → cache key, for those whose results were there. They have no records of their own."""
    sources: Mapping[str, str]
    """Call → `run/step` that had computed the result, for the same calls."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A record as it was found."""

    data: dict[str, Any]
    """The first line."""
    parts: str
    """The second line; empty in all but the records of steps."""
    signer: str
    verified: bool
    """Whether a key that counts has signed it, for this store."""


def opened(signed: bytes, keys: Keyring, store: str) -> Opened:
    """Take a record apart. Raises one of `MALFORMED`, as do all that read here."""
    record, signer, verified = keys.verify(signed)
    first, _, second = record.decode().partition("\n")
    data = _load(first)
    return Opened(data, second, signer, verified and data["store"] == store)


def written(record: RunRecord | End | Expansion, store: str) -> bytes:
    """The record of a run, of its end, or of what a map became, unsigned."""
    # Not `asdict`, which would copy every hit of a long run.
    names = (item.name for item in fields(record))
    data = {name: getattr(record, name) for name in names if name != "verified"}
    for name in ("keys", "job", "elsewhere"):
        if not data.get(name, True):
            del data[name]
    return _dump({**data, "store": store}).encode()


def written_step(run: StepRun, store: str) -> bytes:
    """The record of a step, unsigned."""
    data: dict[str, Any] = {
        "run": run.run,
        "call": run.call,
        "step": run.step,
        "status": run.status,
        "key": run.key,
        "outputs": {name: artifact.to_data() for name, artifact in run.outputs.items()},
        "started": run.started,
        "wall": run.wall,
        "cpu": run.cpu,
        "peak_memory": run.peak_memory,
        "read": run.read,
        "written": run.written,
        "attempt": run.attempt,
        "store": store,
    }
    if run.source:
        data["source"] = run.source
    if run.metadata:
        data["metadata"] = plain.encode(run.metadata)
    if run.failure:
        data["failure"] = asdict(run.failure)
    if run.why:
        data["why"] = run.why
    if run.final:
        data["final"] = run.final
    # On a line of their own: they are the text that was hashed, and hits need not parse them.
    return f"{_dump(data)}\n{run.parts}".encode()


def read_step(found: Opened) -> StepRun:
    """The record of a step."""
    data = found.data
    _check(data, _STEP)
    failure = data.get("failure")
    source = data.get("source")
    return StepRun(
        data["run"],
        data["call"],
        data["step"],
        Status(data["status"]),
        data["key"],
        found.parts,
        {name: Artifact.from_data(item) for name, item in data["outputs"].items()},
        data["started"],
        data["wall"],
        data["cpu"],
        data["peak_memory"],
        data["read"],
        data["written"],
        data["attempt"],
        Failure(**_texts(failure)) if failure else None,
        dict(plain.decode(data["metadata"])) if "metadata" in data else {},
        (str(source[0]), str(source[1])) if source else None,
        found.signer,
        found.verified,
        *_texts({name: data.get(name, "") for name in ("why", "final")}).values(),
    )


def read_run(found: Opened) -> RunRecord:
    """The record that a run begins with."""
    data = found.data
    _check({**_LATER, **data}, _RUN)
    known = {item.name: data[item.name] for item in fields(RunRecord) if item.name in data}
    for name in ("calls", "described", "maps"):
        known[name] = tuple(_texts(dict(enumerate(data.get(name, ())))).values())
    return RunRecord(**{**known, "verified": found.verified})


def read_pattern(data: bytes) -> RunRecord:
    """A record that is of no run yet, which is why nobody has signed it: the run of a job begins
    with a copy. Whoever was told its digest may believe it."""
    return read_run(Opened(_load(data.decode().partition("\n")[0]), "", "", True))


def read_end(found: Opened) -> End:
    """The seal of a run."""
    data = {**_LATER, **found.data}
    _check(data, _END)
    status = Status(data["status"])
    return End(data["run"], status, data["ended"], data["steps"], data["why"], data["keys"])


def read_expansion(found: Opened) -> Expansion:
    """What a map became."""
    data = found.data
    _check(data, _EXPANSION)
    if not 0 <= data["count"] <= MOST_ITEMS:
        raise ValueError(f"'count' is {data['count']}")
    return Expansion(**{item.name: data[item.name] for item in fields(Expansion)})


def _check(data: Mapping[str, Any], kinds: _Kinds) -> None:
    """Raise `KeyError` or `TypeError` unless these fields are there, with values of their kinds."""
    for name, kind in kinds.items():
        value = data[name]
        if not isinstance(value, kind):
            raise TypeError(f"{name!r} is {value!r}")
        if isinstance(value, _NUMBER) and not abs(value) < _MOST:  # NaN is not
            raise ValueError(f"{name!r} is {value!r}")
        if kind is dict and name != "outputs":
            _texts(data[name])


def _texts(data: dict[Any, Any]) -> dict[Any, Any]:
    if not all(isinstance(value, str) for value in data.values()):
        raise TypeError(f"{data!r} holds something else than text")
    return data
