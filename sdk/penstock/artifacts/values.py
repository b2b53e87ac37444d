"""Values in, artifacts out, and back: where stores and formats meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from penstock.artifacts.exported import moved, workshop
from penstock.artifacts.formats import registry
from penstock.artifacts.materializer import Composite, NotThisFormat, Part
from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.digest import is_digest, of_buffers
from penstock.errors import (
    CorruptArtifact,
    KeyTaken,
    NoSuchKey,
    PenstockError,
    StoreUnavailable,
    UnsupportedValue,
    UntrustedArtifact,
    raised_at,
)  # fmt: skip
from penstock.model.records import Artifact
from penstock.model.signature import class_in

INLINE: Final = 4096
"""Bytes below which a value lies in the record itself."""


PATH: Final = "path/1"
"""The one format of several objects whose value is files."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether the record that names an artifact is signed with a key that is known here."""

    given: bool
    signer: str | None = None
    """Id of the key that the record names, be it known or not."""


class Code(NamedTuple):
    """The code that a value needs beside its bytes."""

    digest: str = ""
    """Fingerprint of the project's classes and functions among it; empty if there are none."""
    names: tuple[str, ...] = ()
    """Those, as `module:qualname`."""


NOTHING: Final = Code()

CodeOf = Callable[[Iterable[object]], Code]
"""What is to be known of the classes and functions that a value names."""


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
                    code = Code()
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
                    f"{type(value).__qualname__}: {type(error).__name__}: {error} "
                    f"({raised_at(error, materializer)})"
                ) from error
            return self.stored(materializer.format, buffers, code)
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
        if materializer.runs_code:
            self._check_trust(artifact, who, trust)
        data = self.buffer(artifact, who)
        try:
            if isinstance(materializer, Composite):
                return materializer.load(data, lambda part: self._get(part, who), folder())
            return materializer.load(data)
        except CorruptArtifact as error:
            if error.message.startswith(who):  # a part of it, which says so itself
                raise
            raise CorruptArtifact(f"{who}: {error.message}", hint=error.hint) from error
        except PenstockError:
            raise
        except Exception as error:  # the bytes are what they were: the format's own code is wrong
            raise UnsupportedValue(
                f"{who}: the format {artifact.format} failed to load it: {type(error).__name__}: "
                f"{error} ({raised_at(error, materializer)})"
            ) from error

    def buffer(self, artifact: Artifact, who: str) -> Buffer:
        """The bytes of an artifact, checked, private to the caller."""
        if artifact.data is None:
            return self._get(Part(artifact.digest, artifact.size), who)
        if not _is_whole(artifact.data, artifact):
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

    def export(self, artifact: Artifact, target: Path, name: str, who: str) -> Path:
        """Write an artifact to a file, or a folder if it is one. Nothing is parsed but a manifest.

        In a folder that exists it gets a name of its own, or `name` and an ending if it has none.
        Returns where it is. Raises `FileExistsError` rather than overwrite.
        """
        data = self.buffer(artifact, who)
        into = target if target.is_dir() else None
        with workshop(into / name if into else target) as folder:
            if registry.is_composite(artifact.format):
                made = self._files(artifact.format, data, folder, who)
            else:
                made = folder / f"{name}{registry.suffix(artifact.format)}"
                made.write_bytes(data)
            return moved(made, into / made.name if into else target)

    def _files(self, format: str, data: Buffer, folder: Path, who: str) -> Path:
        if format != PATH:
            raise UnsupportedValue(
                f"{who} is of format {format!r}, which is several objects and no file.",
                hint="Load it in Python: Client().run(…)[…].output.load()",
            )
        materializer = registry.for_format(format, None)
        assert isinstance(materializer, Composite)
        return Path(materializer.load(data, lambda part: self._get(part, who), folder))

    def is_there(self, artifact: Artifact) -> bool:
        """Whether every object of the artifact is in the store, with the right size."""
        if artifact.data is not None:
            if not _is_whole(artifact.data, artifact):
                return False
        elif not self._has(Part(artifact.digest, artifact.size)):
            return False
        if not registry.is_composite(artifact.format):
            return True
        try:
            return all(map(self._has, self.parts(artifact)))
        except (CorruptArtifact, NoSuchKey):  # then it is not, or no longer
            return False

    def parts(self, artifact: Artifact) -> Sequence[Part]:
        """The other objects that belong to an artifact, for formats with several."""
        materializer = registry.for_format(artifact.format, None)
        if not isinstance(materializer, Composite):
            return ()
        return tuple(materializer.parts(self.buffer(artifact, "A stored artifact")))

    def stored(self, format: str, buffers: Sequence[Buffer], code: Code = NOTHING) -> Artifact:
        """An artifact of these bytes: in the record if they are few, else in the store."""
        size = sum(memoryview(item).nbytes for item in buffers)
        if size < INLINE:
            data = b"".join(buffers)
            return Artifact(format, of_buffers([data]), size, code.digest, data, code.names)
        part = self._put(buffers)
        return Artifact(format, part.digest, part.size, code.digest, None, code.names)

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
        if not _is_whole(data, part):
            aside = f"corrupt/{part.digest}"
            raise CorruptArtifact(
                f"{who}: the object {key} in {self.store.path} is not what its digest says "
                f"({len(data)} bytes, {part.size} expected). "
                + (
                    f"It was moved to {aside}."
                    if self._move_aside(key, aside, part, data)
                    else "It could not be moved aside: whoever may write there must delete it."
                ),
                hint="Run the pipeline again: the step that made it will make it anew.",
            )
        return data

    def _move_aside(self, key: str, aside: str, part: Part, data: Buffer) -> bool:
        """Make a corrupt object count as gone, so that the next run heals it."""
        try:
            self.store.put(aside, [data])
            if not _is_whole(self.store.get(key), part):  # else somebody has healed it
                self.store.delete(key)
        except NoSuchKey:  # somebody else was first
            return True
        except StoreUnavailable:  # a reader who may not write
            return False
        return True

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
        signed = f"signed with key {trust.signer}, which" if trust.signer else "whose signature"
        raise UntrustedArtifact(
            f"{who} is a pickle ({artifact.format}), {signed} does not count here: loading it "
            "could run anything.",
            hint="Give the store the signing_key of whoever made it, run the step again, or set "
            "allow_pickle: any if everybody who can write there may run code here.",
        )


def _is_whole(data: Buffer, expected: Artifact | Part) -> bool:
    return len(data) == expected.size and of_buffers([data]) == expected.digest


def object_key(digest: str) -> str:
    """Where an object lies in a store. Raises `CorruptArtifact` for what is no digest."""
    if not is_digest(digest):
        raise CorruptArtifact(f"{digest!r} is named as an object, and is no digest.")
    return f"objects/{digest[:2]}/{digest}"
