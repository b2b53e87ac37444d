"""`store.json`: which store this is and which version of the format it has."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Final

from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.errors import CorruptArtifact, KeyTaken, NoSuchKey, StoreTooNew

_dump: Final = json.JSONEncoder().encode

VERSION: Final = 1
"""The format that this version of penstock writes, and the newest that it reads."""

KEY: Final = "store.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """A store's own name and format."""

    id: str
    version: int


def identify(store: ArtifactStore, *, make: bool = True) -> Identity | None:
    """Who the store is; with `make`, a new store gets its identity now.

    Raises `StoreTooNew` if a later version of penstock wrote it.
    """
    try:
        return _read(store, store.get(KEY))
    except NoSuchKey:
        return _made(store) if make else None


def keeps_others_out(store: ArtifactStore) -> bool:
    """Whether an exclusive write is that where the store lies, as far as its backend was tried."""
    try:
        return json.loads(bytes(store.get(KEY)))["backend"]["conditional_writes"] is not False
    except (NoSuchKey, ValueError, LookupError, TypeError):  # one of files, which are
        return True


def _made(store: ArtifactStore) -> Identity:
    """A new store's identity, unless somebody else was first: then theirs counts."""
    fresh = os.urandom(8).hex()
    abilities = store.abilities()
    said = {"version": VERSION, "id": fresh, **({"backend": abilities} if abilities else {})}
    try:
        store.put(KEY, [_dump(said).encode()], exclusive=True)
        return Identity(fresh, VERSION)
    except KeyTaken:
        try:
            data = store.get(KEY)
        except NoSuchKey:  # a folder, or a link that leads nowhere
            raise CorruptArtifact(
                f"{KEY} of the artifact store {store.path} is there, and it is no file.",
                hint="Move it away. A store with runs needs it back: "
                f'{{"version": {VERSION}, "id": "…"}}, with what the records in runs/ have as '
                '"store".',
            ) from None
    return _read(store, data)


def _read(store: ArtifactStore, data: Buffer) -> Identity:
    try:
        read = json.loads(bytes(data))
        version = read["version"]
        if type(version) is not int:
            raise TypeError(f"the version is {version!r}")
        if version > VERSION:  # what else is in there may mean anything
            raise StoreTooNew(
                f"The artifact store {store.path} has format {version}; this penstock knows up to "
                f"{VERSION}.",
                hint="pip install -U penstock",
            )
        if not isinstance(read["id"], str):
            raise TypeError(f"the id is {read['id']!r}")
        if isinstance(backend := read.get("backend"), dict):
            store.learn(backend)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptArtifact(
            f"{KEY} of the artifact store {store.path} cannot be read: {error!r}.",
            hint='Write it again, with the id that the records in runs/ have as "store": '
            f'{{"version": {VERSION}, "id": "…"}}',
        ) from error
    return Identity(read["id"], version)
