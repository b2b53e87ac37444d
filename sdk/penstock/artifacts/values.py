"""Values in, artifacts out, and back: where stores and formats meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from penstock.artifacts.exported import moved, workshop
from penstock.artifacts.formats import items, registry
from penstock.artifacts.hashed import Hashed
from penstock.artifacts.materializer import Composite, NotThisFormat
from penstock.artifacts.objects import ObjectsOf, StoredObjects, is_whole
from penstock.artifacts.source import Writing, unnoticed
from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.digest import of_buffers
from penstock.errors import (
    CorruptArtifact,
    FileChanged,
    NoSuchKey,
    PenstockError,
    UnsupportedValue,
    UntrustedArtifact,
    raised_at,
)  # fmt: skip
from penstock.lazy import lazy
from penstock.model.records import Artifact, Part
from penstock.model.signature import class_in

if TYPE_CHECKING:
    from penstock.artifacts import distant_objects
else:
    distant_objects = lazy("penstock.artifacts.distant_objects")  # only for stores that are so

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

    def __init__(self, store: ArtifactStore, code_of: CodeOf, seen: Hashed | None = None) -> None:
        self.store = store
        of = distant_objects.DistantObjects if store.distant else StoredObjects
        self._objects = of(store, seen)
        self._code_of = code_of

    def save(self, value: Any, hint: Any, who: str, writing: Writing = unnoticed) -> Artifact:
        """Store a value in the first format that takes it. Raises `UnsupportedValue`.

        `hint` is the annotation that a reader will have, `who` names the value in errors.
        """
        for materializer in registry.candidates(value, hint):
            objects = ObjectsOf(self._objects, who, writing)
            try:
                if isinstance(materializer, Composite):
                    buffers = materializer.dump(value, objects)
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
            parts = tuple(objects.made)
            return self.stored(materializer.format, buffers, code, parts, writing)
        raise UnsupportedValue(
            f"{who} is a {type(value).__qualname__}, which no format takes.",
            hint="Return plain data, or write a Materializer with @materializer(YourType).",
        )

    def keep(self, data: bytes) -> Part:
        """Store bytes that are most likely there already, to be fetched by their digest."""
        return self._objects.put_as_is(data, look=True)

    def keep_all(self, copies: Mapping[Part, bytes]) -> None:
        """The same for several, of which the digests are known: a distant store is asked for all of
        them at once."""
        for part in copies.keys() - self._objects.those_in_use(copies):
            self._objects.put_as_is(copies[part])

    def load(
        self, artifact: Artifact, hint: Any, who: str, folder: Callable[[], Path], trust: Trust
    ) -> Any:
        """The value, private to the caller. Nothing is parsed before size and digest are right.

        `folder` makes an empty folder for values that are files. Raises `CorruptArtifact`,
        `NoSuchKey`, `FileChanged`, or `UntrustedArtifact` if loading could run code and `trust` is
        not given.
        """
        materializer = registry.for_format(artifact.format, class_in(hint))
        if materializer.runs_code:
            self._check_trust(artifact, who, trust)
        elif materializer.outside and not self.may_follow(trust.given):
            raise UntrustedArtifact(
                f"{who} refers to a place outside of the store, in a record {_signature(trust)} "
                "does not count here: looking there could tell anybody anything.",
                hint="Give the store the signing_key of whoever made it, or run the step again.",
            )
        materializer.trusted = trust.given
        data = self.buffer(artifact, who, in_memory=materializer.runs_code)
        try:
            self._objects.expect(artifact.parts)
            if isinstance(materializer, items.Items):
                return items.values(
                    items.read(data),
                    lambda held, hint, place: self.load(
                        held.artifact,
                        hint,
                        f"{who}, item {place}",
                        folder,
                        trust if held.vouched else Trust(False),
                    ),
                    hint,
                )
            if isinstance(materializer, Composite):
                return materializer.load(data, ObjectsOf(self._objects, who), folder)
            return materializer.load(data)
        except (CorruptArtifact, FileChanged) as error:
            self._move_all_aside(artifact, who)
            if error.message.startswith(who):  # a part of it, which says so itself
                raise
            raise type(error)(f"{who}: {error.message}", hint=error.hint) from error
        except PenstockError:
            raise
        except Exception as error:  # the bytes are what they were: the format's own code is wrong
            raise UnsupportedValue(
                f"{who}: the format {artifact.format} failed to load it: {type(error).__name__}: "
                f"{error} ({raised_at(error, materializer)})"
            ) from error

    def _move_all_aside(self, artifact: Artifact, who: str) -> None:
        """Of a value that is damaged find every part that is, so that one run heals it."""
        for part in artifact.parts:
            with suppress(CorruptArtifact, NoSuchKey):
                self._objects.get(part, who)

    def buffer(self, artifact: Artifact, who: str, *, in_memory: bool = False) -> Buffer:
        """The bytes of an artifact, or of its root, checked, private to the caller."""
        part = Part(artifact.digest, artifact.size)
        if artifact.data is None:
            return self._objects.get(part, who, in_memory=in_memory)
        if not is_whole(artifact.data, part):
            raise CorruptArtifact(f"{who}: the bytes in the record are not what their digest says.")
        return bytearray(artifact.data)

    def adopt(self, artifact: Artifact, other: Values, who: str) -> None:
        """Copy an artifact's objects from another store, unless they are here."""
        root = [] if artifact.data is not None else [Part(artifact.digest, artifact.size)]
        for part in (*root, *artifact.parts):
            if not self._objects.use(part):
                self._objects.put([other._objects.get(part, who)])

    def rely_on(self, artifact: Artifact) -> bool:
        """Whether every object of the artifact is in the store. Then no cleaning takes them away
        before there was time to write down who needs them."""
        root = [] if artifact.data is not None else [Part(artifact.digest, artifact.size)]
        return self._objects.use_all((*root, *artifact.parts))

    def fetch(self, digest: str, who: str) -> Buffer:
        """What was kept, by its digest alone, checked. Raises `CorruptArtifact` or `NoSuchKey`."""
        return self._objects.fetch(digest, who)

    def export(self, artifact: Artifact, target: Path, name: str, who: str) -> Path:
        """Write an artifact to a file, or a folder if it is one. Nothing is parsed but a manifest.

        In a folder that exists it gets a name of its own, or `name` and an ending if it has none.
        Returns where it is. Raises `FileExistsError` rather than overwrite.
        """
        if registry.is_outside(artifact.format):
            raise UnsupportedValue(
                f"{who} is a reference, and what it leads to is not in the store.",
                hint="`penstock artifact show` says where it is: copy it from there.",
            )
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
        return Path(materializer.load(data, ObjectsOf(self._objects, who), lambda: folder))

    def is_there(self, artifact: Artifact) -> bool:
        """Whether every object of the artifact is in the store, with the right size."""
        root = Part(artifact.digest, artifact.size)
        if artifact.data is None:
            return self._objects.has_all((root, *artifact.parts))
        return is_whole(artifact.data, root) and self._objects.has_all(artifact.parts)

    def those_there(self, artifacts: Iterable[Artifact]) -> set[Artifact]:
        """Those of them of which `is_there` is true: a distant store is asked for all at once."""
        parts = {artifact: _parts(artifact) for artifact in artifacts}
        there = self._objects.those_there(part for own in parts.values() for part in own)
        return {
            artifact
            for artifact, own in parts.items()
            if there.issuperset(own)
            and (artifact.data is None or is_whole(artifact.data, _root(artifact)))
        }

    def changed(self, artifact: Artifact) -> str:
        """What has become of what the artifact refers to outside of the store; nothing if it is as
        it was. Raises `StoreUnavailable` if nobody can tell, `CorruptArtifact` or `NoSuchKey`."""
        if not registry.is_outside(artifact.format):
            return ""
        format = registry.for_format(artifact.format, None)
        data = self.buffer(artifact, "A stored reference")
        if isinstance(format, items.Items):
            found = (self.changed(each) for each in items.artifacts(items.read(data)))
            return next(filter(None, found), "")
        return format.changed(data)

    def stored(
        self,
        format: str,
        buffers: Sequence[Buffer],
        code: Code = NOTHING,
        parts: tuple[Part, ...] = (),
        writing: Writing = unnoticed,
    ) -> Artifact:
        """An artifact of these bytes: in the record if they are few, else in the store."""
        size = sum(memoryview(item).nbytes for item in buffers)
        if size < INLINE:
            data = b"".join(buffers)
            digest = of_buffers([data])
            return Artifact(format, digest, size, code.digest, data, code.names, parts)
        part = self._objects.put(buffers, writing=writing)
        return Artifact(format, part.digest, part.size, code.digest, None, code.names, parts)

    def may_follow(self, trusted: bool) -> bool:
        """Whether a record's references to other places are looked at."""
        return trusted or self.store.allow_pickle == "any"

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
            f"{who} is a pickle ({artifact.format}), {_signature(trust)} does not count here: "
            "loading it could run anything.",
            hint="Give the store the signing_key of whoever made it, run the step again, or set "
            "allow_pickle: any if everybody who can write there may run code here.",
        )


def _root(artifact: Artifact) -> Part:
    return Part(artifact.digest, artifact.size)


def _parts(artifact: Artifact) -> tuple[Part, ...]:
    """Its objects in the store."""
    return artifact.parts if artifact.data is not None else (_root(artifact), *artifact.parts)


def _signature(trust: Trust) -> str:
    return f"signed with key {trust.signer}, which" if trust.signer else "whose signature"
