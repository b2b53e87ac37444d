"""The ledger: what lies in a store about runs, and nowhere else."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Final, TypeVar

from penstock.artifacts.formats import registry
from penstock.artifacts.identity import VERSION, Identity, identify
from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.artifacts.trust import Keyring, keyring
from penstock.digest import of_buffers
from penstock.errors import CorruptArtifact, KeyTaken, NoSuchKey, NotFound
from penstock.model.names import ALLOWED
from penstock.model.records import RunRecord, StepRun
from penstock.runtime import backwards, notation
from penstock.runtime.notation import End, Expansion, Opened
from penstock.runtime.runid import PATTERN
from penstock.runtime.signs import Signs

_dump: Final = json.JSONEncoder().encode

R = TypeVar("R", RunRecord, StepRun, End, Expansion)

Get = Callable[[str], Buffer]

_log: Final = logging.getLogger("penstock.ledger")


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
        self._write(f"runs/{record.run}/run.json", record)

    def end(self, end: End) -> None:
        """Seal a run. Somebody else may have done so already, which is as good."""
        try:
            self._write(f"runs/{end.run}/end.json", end)
        except KeyTaken:
            return

    def explain(self, end: End, unexplained: End) -> None:
        """Put a seal that says why in the place of one that does not; nothing if somebody has been
        faster."""
        if self.sealed(end.run) == unexplained:
            signed = self.keys.sign(notation.written(end, self.identity.id))
            self.store.put(end_key(end.run), [signed])

    def expand(self, made: Expansion) -> bool:
        """Write down what a map became. False if somebody else has done so already."""
        try:
            self._write(f"runs/{made.run}/expansions/{made.call}.json", made)
        except KeyTaken:
            return False
        return True

    def expansion(self, run: str, call: str) -> Expansion | None:
        """What a map became, if it has begun. Raises `CorruptArtifact`."""
        key = f"runs/{run}/expansions/{call}.json"
        try:
            found = self._of(run, key, notation.read_expansion)
        except NoSuchKey:
            return None
        if found.call != call:
            raise self._corrupt(key, ValueError(f"it is of the map {found.call!r}"))
        return found

    def finish(self, run: StepRun, *, reusable: bool, replaces: bool = False) -> str:
        """Publish a usable result, first for the cache, then for the run. Returns its digest.

        What the cache has already stays there, unless it is to be replaced.
        """
        signed = self.keys.sign(notation.written_step(run, self.identity.id))
        record = f"runs/{run.run}/steps/{run.call}.json"
        if reusable:
            data = {cache_key(run.key): signed, record: signed}
            write = partial(self._publish, run, record, signed, replaces)
            self.store.post(data, write, last=True)
        else:
            write_one = partial(_publish_one, record, signed)
            self.store.post({record: signed}, write_one, last=True)
        return of_buffers([signed])

    def _publish(
        self, run: StepRun, record: str, signed: bytes, replaces: bool, store: ArtifactStore
    ) -> None:
        """The same, for a store that may be behind what is known here already."""
        entry, get = cache_key(run.key), store.get
        if replaces and (old := self._entry_for(run.key, get)) and _counts(old[1], run.key):
            store.put(old[0], [signed])
            store.publish([record], signed)
        elif entry in store.publish([entry, record], signed):
            self._settle(run, signed, store)

    def forget(self, key: str) -> None:
        """Take the entry that `cached` gives out of the cache: nobody can use it any more."""
        found = self._entry_for(key)
        try:
            self.store.delete(found[0] if found else cache_key(key))
        except NoSuchKey:
            return

    def attempt(self, run: StepRun, nonce: str) -> None:
        """Write down an attempt that gave nothing usable."""
        signed = self.keys.sign(notation.written_step(run, self.identity.id))
        key = f"runs/{run.run}/attempts/{run.call}/{nonce}.json"
        self.store.post({key: signed}, lambda store: store.put(key, [signed]), last=True)

    def attempts(self, run: str, call: str) -> list[StepRun]:
        """The attempts that failed, the oldest first, as far as they can be read."""
        found = []
        for entry in self.store.keys(f"runs/{run}/attempts/{call}/"):
            if not entry.key.endswith(".json"):
                continue
            try:
                found.append(self._step_of(run, call, entry.key))
            except NoSuchKey:  # what has this name is no file
                continue
            except CorruptArtifact as error:
                _log.warning("An attempt at step %s is left out: %s", call, error.message)
        return found

    def step(self, run: str, call: str, get: Get | None = None) -> StepRun | None:
        """The usable result of a step in a run. Raises `CorruptArtifact`."""
        try:
            return self._step_of(run, call, step_key(run, call), get)
        except NoSuchKey:
            return None

    def step_digest(self, run: str, call: str) -> str:
        """The digest of the record of a usable result, for the seal."""
        return of_buffers([self.store.get(f"runs/{run}/steps/{call}.json")])

    def hit(self, run: str, call: str) -> StepRun | None:
        """The result that a run took from the cache when it was planned."""
        return self.hit_of(self.run(run), call)

    def hit_of(
        self, record: RunRecord | Expansion, call: str, get: Get | None = None
    ) -> StepRun | None:
        """The same for a record that is at hand.

        Under its key the cache may have another result by now; then the run that computed the one
        that was taken still has it.
        """
        key = record.hits.get(call, "")
        source = record.sources.get(call)
        found = self.cached(key, get=get) if key else None
        if found is not None and source not in (None, f"{found.run}/{found.call}"):
            found = None
        if found is None and source is not None:
            found = self._computed(source, get)
        return found.reused(record.run, call) if found is not None and found.key == key else None

    def _computed(self, source: str, get: Get | None) -> StepRun | None:
        """What a run has computed, by `run/step`, which anybody may have written."""
        run, _, call = source.partition("/")
        is_one = PATTERN.fullmatch(run) and ALLOWED.fullmatch(call)
        return self.step(run, call, get) if is_one else None

    def cached(
        self,
        key: str,
        *,
        use: bool = False,
        unread: list[str] | None = None,
        get: Get | None = None,
    ) -> StepRun | None:
        """The result that the cache has for a key, signed by a key that counts if there is one.

        Whoever is to `use` it, and does not just look, keeps cleaning away from it. `unread` is
        told why there is an entry that cannot be read. `get` is how it is read.
        """
        found = self._entry_for(key, self.store.use if use else get, unread)
        return found[1] if found else None

    def in_the_way(self, key: str) -> str:
        """What is in the place of an entry that the cache does not have, in words; mostly
        nothing."""
        found = self.store.obstacle(cache_key(key))
        return "" if found == "a file" else found  # then it may be one by now

    def _entry_for(
        self, key: str, get: Get | None = None, unread: list[str] | None = None
    ) -> tuple[str, StepRun] | None:
        """The entry of a key that counts here, and under which name it lies."""
        first = None
        for signer in (None, *self.keys.known):
            name = cache_key(key, signer)
            try:
                found = self._read(name, notation.read_step, get)
            except NoSuchKey:
                return first  # nothing under the plain name: nothing under the others
            except CorruptArtifact as error:
                if unread is not None:
                    unread.append(_reason(error.__cause__ or error))
                continue
            if _counts(found, key):
                return name, found
            first = first or (name, found)
        return first

    def run(self, run: str, get: Get | None = None) -> RunRecord:
        """What was known when the run started. Raises `NotFound` or `CorruptArtifact`."""
        try:
            return self._of(run, run_key(run), notation.read_run, get)
        except NoSuchKey:
            raise NotFound(f"There is no run {run!r} in {self.store.path}.") from None

    def sealed(self, run: str, get: Get | None = None) -> End | None:
        """How the run ended, if somebody wrote that down."""
        try:
            return self._of(run, end_key(run), notation.read_end, get)
        except NoSuchKey:
            return None

    def signs(self, record: RunRecord) -> Signs:
        """What whoever carries a run out writes now and then."""
        return Signs(self.store, record.run, elsewhere=record.elsewhere)

    def last_sign(self, record: RunRecord) -> float:
        """When a run last wrote a record of a step, a beat, or its own. Seconds since 1970, UTC."""
        return self.signs(record).last_sign(record)

    def silence(self, run: str) -> float:
        """Seconds, by the store's clock, since a run began or last gave a sign of life."""
        return Signs(self.store, run).silence()

    def beat(self, run: str, running: Mapping[str, float]) -> None:
        """Give a sign of life: the steps that run now, and since when."""
        Signs(self.store, run).beat(running)

    def running(self, run: str) -> dict[str, float]:
        """The steps that ran at the last beat, and since when. Anybody may have written it."""
        return Signs(self.store, run).running()

    def cancel(self, run: str, user: str, host: str) -> None:
        """Ask whoever carries a run out to stop it."""
        text = _dump({"user": user, "host": host, "time": time.time()})
        self.store.put(f"runs/{run}/cancel", [text.encode()])

    def cancelled(self, run: str) -> str | None:
        """Who has asked for the end of a run, in words."""
        try:
            said = json.loads(bytes(self.store.get(f"runs/{run}/cancel")))
            return f"cancelled by {said['user']} on {said['host']}"
        except NoSuchKey:
            return None
        except notation.MALFORMED:  # the file is what counts
            return "cancelled"

    def runs(self) -> list[str]:
        """The ids of all runs, the newest first. Raises `StoreTooNew`."""
        _ = self.identity
        return backwards.all_ids(self.store)

    def newest(self) -> Iterator[Sequence[str]]:
        """The same ids in portions: of a distant store no more is listed than somebody asks for."""
        _ = self.identity
        return backwards.newest_ids(self.store)

    def _settle(self, run: StepRun, signed: bytes, store: ArtifactStore) -> None:
        """Somebody else's entry is in the way. Ours is kept beside it if theirs is no use here."""
        found = self._entry_for(run.key, store.get)
        if found is None or (_needs_trust(run) and not found[1].verified):
            store.publish([cache_key(run.key, self.keys.signing.id)], signed)

    def _entry(self, key: str) -> Entry | None:
        try:
            return self.store.stat(key)
        except NoSuchKey:
            return None

    def _write(self, key: str, record: RunRecord | End | Expansion) -> None:
        signed = self.keys.sign(notation.written(record, self.identity.id))
        self.store.flush()  # what it names is there first
        self.store.put(key, [signed], exclusive=True)

    def _read(self, key: str, read: Callable[[Opened], R], get: Get | None = None) -> R:
        """A record, whoever wrote it. Raises `NoSuchKey` or `CorruptArtifact`."""
        data = bytes((get or self.store.get)(key))
        try:
            return read(notation.opened(data, self.keys, self.identity.id))
        except notation.MALFORMED as error:
            raise self._corrupt(key, error) from error

    def _of(self, run: str, key: str, read: Callable[[Opened], R], get: Get | None = None) -> R:
        """A record that must be of this run."""
        found = self._read(key, read, get)
        if found.run != run:
            raise self._corrupt(key, ValueError(f"it is of the run {found.run!r}"))
        return found

    def _step_of(self, run: str, call: str, key: str, get: Get | None = None) -> StepRun:
        found = self._read(key, notation.read_step, get)
        if (found.run, found.call) != (run, call):
            of = f"it is of step {found.call!r} in the run {found.run!r}"
            raise self._corrupt(key, ValueError(of))
        return found

    def _corrupt(self, key: str, error: Exception) -> CorruptArtifact:
        return CorruptArtifact(
            f"The record {key} in {self.store.path} cannot be read: {_reason(error)}.",
            hint=_way_out(key),
        )


def _reason(error: BaseException) -> str:
    """What is wrong with a record, in words."""
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)


def _way_out(key: str) -> str:
    """What to do about a record that cannot be read."""
    folder, _, rest = key.partition("/")
    run, _, name = rest.partition("/")
    if folder == "runs" and not name.startswith(("steps/", "attempts/")):
        return f"If nobody needs that run: penstock run delete {run}"
    return "Delete that file, and run the pipeline again: whatever can be read is taken as it is."


def run_key(run: str) -> str:
    """Where the record is that a run begins with."""
    return f"runs/{run}/run.json"


def end_key(run: str) -> str:
    """Where its seal is."""
    return f"runs/{run}/end.json"


def step_key(run: str, call: str) -> str:
    """Where a run has the usable result of a step."""
    return f"runs/{run}/steps/{call}.json"


def _publish_one(key: str, signed: bytes, store: ArtifactStore) -> None:
    store.publish([key], signed)


def cache_key(key: str, signer: str | None = None) -> str:
    """Where the cache has a result; with `signer`, where the one of that key's owner is."""
    return f"cache/{key[:2]}/{key}.{signer}" if signer else f"cache/{key[:2]}/{key}"


def _counts(found: StepRun, key: str) -> bool:
    """Whether a cache entry is what its name says, and signed as it must be."""
    return found.key == key and (found.verified or not _needs_trust(found))


def _needs_trust(run: StepRun) -> bool:
    """Whether nobody uses the record without the key that signed it."""
    formats = [artifact.format for artifact in run.outputs.values()]
    return any(registry.runs_code(each) or registry.is_outside(each) for each in formats)
