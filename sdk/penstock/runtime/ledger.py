"""The ledger: what lies in a store about runs, and nowhere else.

Every record is JSON, then a line with the signature of all before it. In the record of a step
there is a line between them: what its cache key is made of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from types import NoneType
from typing import Any, Final

from penstock.artifacts.formats import registry
from penstock.artifacts.identity import VERSION, Identity, identify
from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.artifacts.trust import Keyring, keyring
from penstock.digest import of_buffers
from penstock.errors import CorruptArtifact, KeyTaken, NoSuchKey, NotFound
from penstock.model.records import Artifact, Failure, RunRecord, Status, StepRun
from penstock.runtime.runid import PATTERN

MALFORMED: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What goes wrong with bytes that anybody may have written."""

_load: Final = json.JSONDecoder().decode
_dump: Final = json.JSONEncoder(separators=(",", ":")).encode


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
    **dict.fromkeys(("parameters", "versions", "hits"), dict),
    "process": int,
    "started": _NUMBER,
    "commit": (str, NoneType),
    "calls": list,
}
_END: Final[_Kinds] = {"run": str, "status": str, "ended": _NUMBER, "steps": dict}


@dataclass(frozen=True, slots=True)
class End:
    """The seal of a run: how it ended, and which records belong to it."""

    run: str
    status: Status
    ended: float
    """Seconds since 1970, UTC."""
    steps: Mapping[str, str]
    """Call → digest of its record, for the calls that this run executed."""


class Ledger:
    """The records of one store."""

    def __init__(self, store: ArtifactStore, *, make: bool = True) -> None:
        self.store = store
        self._make = make
        """Whether a new store gets an id, and a new user a key. Who only reads makes neither."""

    @cached_property
    def identity(self) -> Identity:
        """The store's id; an empty one where nobody has written yet."""
        return identify(self.store, make=self._make) or Identity("", VERSION)

    @cached_property
    def keys(self) -> Keyring:
        """The keys that sign and verify here."""
        return keyring(self.store, make=self._make)

    def check(self) -> None:
        """Give a new store its id. Raises `StoreTooNew`, before anything is written."""
        _ = self.identity

    def begin(self, record: RunRecord) -> None:
        """Write down that a run starts."""
        self._write(f"runs/{record.run}/run.json", {**_shallow(record), "store": self.identity.id})

    def end(self, end: End) -> None:
        """Seal a run. Somebody else may have done so already, which is as good."""
        data = {**_shallow(end), "store": self.identity.id}
        try:
            self._write(f"runs/{end.run}/end.json", data)
        except KeyTaken:
            return

    def finish(self, run: StepRun, *, reusable: bool) -> str:
        """Publish a usable result, first for the cache, then for the run. Returns its digest."""
        signed = self.keys.sign(self._step_record(run))
        record = f"runs/{run.run}/steps/{run.call}.json"
        if not reusable:
            self.store.publish([record], signed)
            return of_buffers([signed])
        entry = cache_key(run.key)
        if entry in self.store.publish([entry, record], signed):
            self._settle(entry, run, signed)
        return of_buffers([signed])

    def forget(self, key: str) -> None:
        """Take an entry out of the cache that nobody can use any more."""
        try:
            self.store.delete(cache_key(key))
        except NoSuchKey:
            return

    def attempt(self, run: StepRun, nonce: str) -> None:
        """Write down an attempt that gave nothing usable."""
        signed = self.keys.sign(self._step_record(run))
        self.store.put(f"runs/{run.run}/attempts/{run.call}/{nonce}.json", [signed])

    def attempts(self, run: str, call: str) -> list[StepRun]:
        """The attempts that failed, the oldest first."""
        entries = self.store.keys(f"runs/{run}/attempts/{call}/")
        names = [entry.key for entry in entries if entry.key.endswith(".json")]
        return [self._step_of(run, call, name) for name in names]

    def step(self, run: str, call: str) -> StepRun | None:
        """The usable result of a step in a run. Raises `CorruptArtifact`."""
        try:
            return self._step_of(run, call, f"runs/{run}/steps/{call}.json")
        except NoSuchKey:
            return None

    def step_digest(self, run: str, call: str) -> str:
        """The digest of the record of a usable result, for the seal."""
        return of_buffers([self.store.get(f"runs/{run}/steps/{call}.json")])

    def hit(self, run: str, call: str) -> StepRun | None:
        """The result that a run took from the cache when it was planned."""
        key = self.run(run).hits.get(call)
        return self.taken(run, call, key) if key else None

    def taken(self, run: str, call: str, key: str) -> StepRun | None:
        """What the cache has for a key, as the record of a step that took it from there."""
        found = self.cached(key)
        return found.reused(run, call) if found is not None and found.key == key else None

    def cached(self, key: str) -> StepRun | None:
        """The result that the cache has for a key, signed by a key that counts if there is one."""
        first = None
        for signer in (None, *self.keys.known):
            name = cache_key(key, signer)
            try:
                found = self._step_run(self.store.get(name), name)
            except NoSuchKey:
                return first  # nothing under the plain name: nothing under the others
            except CorruptArtifact:
                continue
            if found.key == key and (found.verified or not _needs_trust(found)):
                return found
            first = first or found
        return first

    def run(self, run: str) -> RunRecord:
        """What was known when the run started. Raises `NotFound` or `CorruptArtifact`."""
        key = f"runs/{run}/run.json"
        try:
            data, verified = self._read(key, run, _RUN)
        except NoSuchKey:
            raise NotFound(f"There is no run {run!r} in {self.store.path}.") from None
        try:
            names = (field.name for field in fields(RunRecord) if field.name in data)
            known = {name: data[name] for name in names}
            calls = tuple(_texts(dict(enumerate(data["calls"]))).values())
            return RunRecord(**{**known, "calls": calls, "verified": verified})
        except MALFORMED as error:
            raise self._corrupt(key, error) from error

    def sealed(self, run: str) -> End | None:
        """How the run ended, if somebody wrote that down."""
        key = f"runs/{run}/end.json"
        try:
            data = self._read(key, run, _END)[0]
        except NoSuchKey:
            return None
        try:
            return End(data["run"], Status(data["status"]), data["ended"], data["steps"])
        except MALFORMED as error:
            raise self._corrupt(key, error) from error

    def last_sign(self, record: RunRecord) -> float:
        """When a run last wrote a record of a step, or its own. Seconds since 1970, UTC."""
        steps = self.store.keys(f"runs/{record.run}/steps/")
        return max((entry.modified for entry in steps), default=record.started)

    def runs(self) -> list[str]:
        """The ids of all runs, the newest first. Raises `StoreTooNew`."""
        _ = self.identity
        names = (entry.name for entry in self.store.keys("runs/") if entry.key.endswith("/"))
        # Others leave folders, too: file managers, synchronisers.
        return [name for name in names if PATTERN.fullmatch(name)][::-1]

    def _settle(self, entry: str, run: StepRun, signed: bytes) -> None:
        """Somebody else's entry is in the way. Ours is kept beside it if theirs is no use here."""
        theirs = self.cached(run.key)
        if theirs is None or (_needs_trust(run) and not theirs.verified):
            self.store.publish([cache_key(run.key, self.keys.signing.id)], signed)

    def _write(self, key: str, data: Mapping[str, Any]) -> None:
        self.store.put(key, [self.keys.sign(_dump(data).encode())], exclusive=True)

    def _read(self, key: str, run: str, kinds: _Kinds) -> tuple[dict[str, Any], bool]:
        """A record of a run, and whether a key that counts has signed it."""
        data, _, _, verified = self._opened(self.store.get(key), key)
        try:
            _check(data, kinds)
        except MALFORMED as error:
            raise self._corrupt(key, error) from error
        if data["run"] != run:
            raise self._corrupt(key, ValueError(f"it is of the run {data['run']!r}"))
        return data, verified

    def _step_of(self, run: str, call: str, key: str) -> StepRun:
        found = self._step_run(self.store.get(key), key)
        if (found.run, found.call) != (run, call):
            of = f"it is of step {found.call!r} in the run {found.run!r}"
            raise self._corrupt(key, ValueError(of))
        return found

    def _opened(self, data: Buffer, key: str) -> tuple[dict[str, Any], str, str, bool]:
        """The first line, the second one if there is one, who signed, and whether that counts."""
        try:
            record, signer, verified = self.keys.verify(bytes(data))
            first, _, second = record.decode().partition("\n")
            read = _load(first)
            return read, second, signer, verified and read["store"] == self.identity.id
        except MALFORMED as error:
            raise self._corrupt(key, error) from error

    def _step_record(self, run: StepRun) -> bytes:
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
            "store": self.identity.id,
        }
        if run.source:
            data["source"] = run.source
        if run.failure:
            data["failure"] = asdict(run.failure)
        # On a line of their own: they are the text that was hashed, and hits need not parse them.
        return f"{_dump(data)}\n{run.parts}".encode()

    def _step_run(self, buffer: Buffer, key: str) -> StepRun:
        data, parts, signer, verified = self._opened(buffer, key)
        try:
            _check(data, _STEP)
            failure = data.get("failure")
            source = data.get("source")
            return StepRun(
                data["run"],
                data["call"],
                data["step"],
                Status(data["status"]),
                data["key"],
                parts,
                {name: Artifact.from_data(item) for name, item in data["outputs"].items()},
                data["started"],
                data["wall"],
                data["cpu"],
                data["peak_memory"],
                data["read"],
                data["written"],
                data["attempt"],
                Failure(**_texts(failure)) if failure else None,
                (str(source[0]), str(source[1])) if source else None,
                signer,
                verified,
            )
        except MALFORMED as error:
            raise self._corrupt(key, error) from error

    def _corrupt(self, key: str, error: Exception) -> CorruptArtifact:
        reason = f"there is no {error}" if isinstance(error, KeyError) else error
        return CorruptArtifact(f"The record {key} in {self.store.path} cannot be read: {reason}.")


def _shallow(record: RunRecord | End) -> dict[str, Any]:
    """The fields as they are: `asdict` would copy every hit of a long run."""
    names = (field.name for field in fields(record))
    return {name: getattr(record, name) for name in names if name != "verified"}


def cache_key(key: str, signer: str | None = None) -> str:
    """Where the cache has a result; with `signer`, where the one of that key's owner is."""
    return f"cache/{key[:2]}/{key}.{signer}" if signer else f"cache/{key[:2]}/{key}"


def _check(data: Mapping[str, Any], kinds: _Kinds) -> None:
    """Raise `KeyError` or `TypeError` unless these fields are there, with values of their kinds."""
    for name, kind in kinds.items():
        if not isinstance(data[name], kind):
            raise TypeError(f"{name!r} is {data[name]!r}")
        if kind is dict and name != "outputs":
            _texts(data[name])


def _texts(data: dict[Any, Any]) -> dict[Any, Any]:
    if not all(isinstance(value, str) for value in data.values()):
        raise TypeError(f"{data!r} holds something else than text")
    return data


def _needs_trust(run: StepRun) -> bool:
    return any(registry.runs_code(artifact.format) for artifact in run.outputs.values())
