"""Values in, artifacts out, and back: where stores and formats meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from penstock.artifacts.formats import registry
from penstock.artifacts.materializer import Composite, NotThisFormat, Part
from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.digest import of_buffers
from penstock.errors import (
    CorruptArtifact,
    KeyTaken,
    NoSuchKey,
    PenstockError,
    UnsupportedValue,
    UntrustedArtifact,
)  # fmt: skip
from penstock.model.records import Artifact
from penstock.model.signature import class_in

INLINE: Final = 4096
"""Bytes below which a value lies in the record itself."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether the record that names an artifact is signed with a key that is known here."""

    given: bool
    signer: str | None = None
    """Id of the key that the record names, be it known or not."""


CodeOf = Callable[[Iterable[object]], str]
"""The fingerprint of the classes and functions that a value names; empty if none matters."""


class Values:
    """The values of one store."""

    def __init__(self, store: ArtifactStore, code_of: CodeOf) -> None:
        self.store = store
        self._code_of = code_of

    def save(self, value: Any, hint: Any, who: str) -> Artifact:
        """Store a value in the first format that takes it. Raises `UnsupportedValue`.

        `hint` is the annotation that a reader will have, `who` names the value in errors.
        """
        for materializer in registry.candidates(value, hint):
            try:
                if isinstance(materializer, Composite):
                    buffers = materializer.dump(value, self._put)
                    code = ""
                else:
                    buffers = materializer.dump(value)
                    code = self._code_of(materializer.names())
            except NotThisFormat:
                continue
            except UnsupportedValue as error:
                raise UnsupportedValue(f"{who}: {error.message}", hint=error.hint) from error
            except PenstockError:
                raise
            except Exception as error:
                raise UnsupportedValue(
                    f"{who}: the format {materializer.format} failed to take a "
                    f"{type(value).__qualname__}: {type(error).__name__}: {error}"
                ) from error
            return self._stored(materializer.format, buffers, code)
        raise UnsupportedValue(
            f"{who} is a {type(value).__qualname__}, which no format takes.",
            hint="Return plain data, or write a Materializer with @materializer(YourType).",
        )

    def keep(self, data: Buffer) -> Part:
        """Store bytes that are most likely there already."""
        part = Part(of_buffers([data]), len(data))
        return part if self._has(part) else self._put([data])

    def load(
        self, artifact: Artifact, hint: Any, who: str, folder: Callable[[], Path], trust: Trust
    ) -> Any:
        """The value, private to the caller. Nothing is parsed before size and digest are right.

        `folder` makes an empty folder for values that are files. Raises `CorruptArtifact`,
        `NoSuchKey`, or `UntrustedArtifact` if loading could run code and `trust` is not given.
        """
        materializer = registry.for_format(artifact.format, class_in(hint))
        if not isinstance(materializer, Composite) and materializer.runs_code:
            self._check_trust(artifact, who, trust)
        data = self.buffer(artifact, who)
        try:
            if isinstance(materializer, Composite):
                return materializer.load(data, lambda part: self._get(part, who), folder())
            return materializer.load(data)
        except CorruptArtifact as error:
            raise CorruptArtifact(f"{who}: {error.message}", hint=error.hint) from error

    def buffer(self, artifact: Artifact, who: str) -> Buffer:
        """The bytes of an artifact, checked, private to the caller."""
        if artifact.data is None:
            return self._get(Part(artifact.digest, artifact.size), who)
        if len(artifact.data) != artifact.size or of_buffers([artifact.data]) != artifact.digest:
            raise CorruptArtifact(f"{who}: the bytes in the record are not what their digest says.")
        return bytearray(artifact.data)

    def adopt(self, artifact: Artifact, other: Values, who: str) -> None:
        """Copy an artifact's objects from another store, unless they are here."""
        if artifact.data is None and not self._has(Part(artifact.digest, artifact.size)):
            self._put([other.buffer(artifact, who)])
        for part in other.parts(artifact):
            if not self._has(part):
                self._put([other._get(part, who)])

    def fetch(self, digest: str, who: str) -> Buffer:
        """An object by its digest alone, checked."""
        try:
            size = self.store.stat(object_key(digest)).size
        except NoSuchKey:
            size = -1
        return self._get(Part(digest, size), who)

    def export(self, artifact: Artifact, target: Path, who: str) -> Path:
        """Write an artifact to a file, or a folder if it is one. Nothing is parsed but a manifest.

        Raises `FileExistsError` rather than overwrite.
        """
        data = self.buffer(artifact, who)
        materializer = registry.for_format(artifact.format, None)
        if isinstance(materializer, Composite):
            target.mkdir(parents=True)
            return Path(materializer.load(data, lambda part: self._get(part, who), target))
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(data)
        return target

    def is_there(self, artifact: Artifact) -> bool:
        """Whether every object of the artifact is in the store, with the right size."""
        if artifact.data is None and not self._has(Part(artifact.digest, artifact.size)):
            return False
        if not registry.is_composite(artifact.format):
            return True
        return all(map(self._has, self.parts(artifact)))

    def parts(self, artifact: Artifact) -> Sequence[Part]:
        """The other objects that belong to an artifact, for formats with several."""
        materializer = registry.for_format(artifact.format, None)
        if not isinstance(materializer, Composite):
            return ()
        return tuple(materializer.parts(self.buffer(artifact, "A stored artifact")))

    def _stored(self, format: str, buffers: Sequence[Buffer], code: str) -> Artifact:
        size = sum(memoryview(item).nbytes for item in buffers)
        if size < INLINE:
            data = b"".join(buffers)
            return Artifact(format, of_buffers([data]), size, code, data)
        part = self._put(buffers)
        return Artifact(format, part.digest, part.size, code)

    def _put(self, buffers: Sequence[Buffer]) -> Part:
        """Store one object under the digest of its bytes."""
        part = Part(of_buffers(buffers), sum(memoryview(item).nbytes for item in buffers))
        key = object_key(part.digest)
        try:
            self.store.put(key, buffers, exclusive=True)
        except KeyTaken:
            if not self._has(part):  # cut short by something else than us: heal it
                self.store.put(key, buffers)
        return part

    def _get(self, part: Part, who: str) -> Buffer:
        key = object_key(part.digest)
        try:
            data = self.store.get(key)
        except NoSuchKey:
            raise NoSuchKey(
                f"{who} is gone from the store {self.store.path}: there is no object {key}.",
                hint="Run the pipeline again: the step that made it will make it anew.",
            ) from None
        if len(data) != part.size or of_buffers([data]) != part.digest:
            self._move_aside(key, data)
            raise CorruptArtifact(
                f"{who}: the object {key} in {self.store.path} is not what its digest says "
                f"({len(data)} bytes, {part.size} expected). It was moved to corrupt/.",
                hint="Run the pipeline again: the step that made it will make it anew.",
            )
        return data

    def _move_aside(self, key: str, data: Buffer) -> None:
        """A corrupt object counts as gone, so that the next run heals it."""
        try:
            self.store.put(f"corrupt/{key.rpartition('/')[2]}", [data])
            self.store.delete(key)
        except (NoSuchKey, OSError):
            return  # a reader without the right to write, or somebody else was first

    def _has(self, part: Part) -> bool:
        try:
            return self.store.stat(object_key(part.digest)).size == part.size
        except NoSuchKey:
            return False

    def _check_trust(self, artifact: Artifact, who: str, trust: Trust) -> None:
        allowed = self.store.allow_pickle
        if allowed == "any" or (allowed == "signed" and trust.given):
            return
        if allowed == "never":
            raise UntrustedArtifact(
                f"{who} is a pickle ({artifact.format}), and the artifact store "
                f"{self.store.name!r} says allow_pickle: never."
            )
        raise UntrustedArtifact(
            f"{who} is a pickle ({artifact.format}) in a record without a signature that counts "
            f"here (it names key {trust.signer or 'none'}): loading it could run anything.",
            hint="Give the store the signing_key of whoever made it, run the step again, or set "
            "allow_pickle: any if everybody who can write there may run code here.",
        )


def object_key(digest: str) -> str:
    """Where an object lies in a store."""
    return f"objects/{digest[:2]}/{digest}"
