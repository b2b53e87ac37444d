"""Tags: names that users give to artifacts, such as `prod`. Each moves, whole or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from penstock.artifacts.store import is_key
from penstock.artifacts.values import Values
from penstock.errors import CorruptArtifact, NoSuchKey, NotFound, did_you_mean, listed
from penstock.model.names import check_name
from penstock.model.records import Artifact, Status, StepRun
from penstock.runtime import provenance
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import MALFORMED
from penstock.runtime.stored_artifact import StoredArtifact

_dump: Final = json.JSONEncoder(separators=(",", ":")).encode

TAGS: Final = "tags"
"""The folder in a store: `tags/<pipeline>/<artifact>/<tag>.json`."""

UNNAMED: Final = "output"
"""The name of an output that has none of its own: its step's name stands for it."""

_TEXTS: Final = ("pipeline", "name", "tag", "run", "step", "reference", "output", "user", "host")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and the artifact that it is at."""

    pipeline: str
    name: str
    """The artifact's: its output's name, or its step's if that has none."""
    tag: str
    run: str
    step: str
    reference: str
    """`module:qualname` of the step."""
    output: str
    artifact: Artifact
    vouched: bool
    """Whether whoever set it knew the key that has signed the step's record."""
    user: str
    host: str
    set_at: float
    """Seconds since 1970, UTC."""
    store: str = ""
    """Where the store is."""
    signer: str = ""
    verified: bool = False
    """Whether all this is signed with a key that is known here. As the two above, it is no part
    of the record."""

    def stored(self, ledger: Ledger, values: Values) -> StoredArtifact:
        """The artifact, which stays there when its run is cleaned away."""
        record = StepRun(
            self.run, self.step, self.reference, Status.COMPLETED,
            outputs={self.output: self.artifact}, signer=self.signer, verified=self.verified,
        )  # fmt: skip
        return StoredArtifact(ledger, values, record, self.output, None)

    def __str__(self) -> str:
        return f"{self.run}/{self.step}/{self.output}"


def name_of(artifact: StoredArtifact) -> str:
    """What an artifact is called within its pipeline."""
    return artifact.step if artifact.name == UNNAMED else artifact.name


def put(ledger: Ledger, values: Values, artifact: StoredArtifact, pipeline: str, tag: str) -> Tag:
    """Set a tag, or move it here. Raises `BadStep` for what is no name, `NotFound` if the
    artifact's objects are gone."""
    record = artifact.record
    made = Tag(
        pipeline, name_of(artifact), check_name(tag, "tag"), artifact.run, artifact.step,
        record.step, artifact.name, artifact.artifact, record.verified, provenance.user(),
        provenance.host(), time.time(), ledger.store.path,
    )  # fmt: skip
    if not values.rely_on(artifact.artifact):
        raise NotFound(
            f"{artifact} cannot be tagged: it is gone from {ledger.store.path}.",
            hint="Run the pipeline again: the step that made it will make it anew.",
        )
    data = {**asdict(made), "artifact": made.artifact.to_data(), "store": ledger.identity.id}
    del data["signer"], data["verified"]
    signed = ledger.keys.sign(_dump(data).encode())
    ledger.store.put(_key(pipeline, made.name, tag), [signed])
    return made


def find(ledger: Ledger, pipeline: str, name: str, tag: str) -> Tag:
    """A tag. Raises `NotFound` or `CorruptArtifact`."""
    key = _key(pipeline, name, tag)
    if is_key(key):
        try:
            return _read(ledger, key)
        except NoSuchKey:
            pass
    known = [f"{each.pipeline}/{each.name} {each.tag}" for each in all_of(ledger)]
    wanted = f"{pipeline}/{name} {tag}"
    raise NotFound(
        f"There is no tag {tag!r} of {pipeline}/{name} in {ledger.store.path}. "
        f"Tags: {listed(known)}.",
        hint=did_you_mean(wanted, known) or f"Type: penstock artifact tag {pipeline}/{name} {tag}",
    )


def remove(ledger: Ledger, pipeline: str, name: str, tag: str) -> Tag:
    """Take a tag off, and say where it was. Raises `NotFound`."""
    found = find(ledger, pipeline, name, tag)
    try:
        ledger.store.delete(_key(pipeline, name, tag))
    except NoSuchKey:  # somebody else was first
        return found
    return found


def all_of(ledger: Ledger) -> Iterator[Tag]:
    """Every tag that can be read, by pipeline, artifact and tag."""
    store = ledger.store
    for pipeline in store.keys(f"{TAGS}/"):
        for name in store.keys(pipeline.key) if pipeline.key.endswith("/") else ():
            for entry in store.keys(name.key) if name.key.endswith("/") else ():
                if entry.key.endswith("/"):  # somebody else's
                    continue
                try:
                    yield _read(ledger, entry.key)
                except (NoSuchKey, CorruptArtifact):  # taken off just now, or no tag
                    continue


def _read(ledger: Ledger, key: str) -> Tag:
    signed = bytes(ledger.store.get(key))
    try:
        record, signer, verified = ledger.keys.verify(signed)
        data = json.loads(record)
        found = _of(data)
        if _key(found.pipeline, found.name, found.tag) != key:
            raise ValueError(f"it is the tag {found.tag!r} of {found.pipeline}/{found.name}")
        here = bool(data["store"] == ledger.identity.id)
    except MALFORMED as error:
        raise CorruptArtifact(
            f"The tag {key} in {ledger.store.path} cannot be read: {error!r}.",
            hint="Set it again: penstock artifact tag NAME TAG",
        ) from error
    trusted = verified and here and found.vouched
    return replace(found, store=ledger.store.path, signer=signer, verified=trusted)


def _of(data: dict[str, Any]) -> Tag:
    """Raises one of `MALFORMED` for what is no tag."""
    "".join(data[name] for name in _TEXTS)  # which only texts can be
    texts = {name: data[name] for name in _TEXTS}
    artifact = Artifact.from_data(data["artifact"])
    set_at = float(data["set_at"])
    return Tag(artifact=artifact, vouched=data["vouched"] is True, set_at=set_at, **texts)


def _key(pipeline: str, name: str, tag: str) -> str:
    return f"{TAGS}/{pipeline}/{name}/{tag}.json"
