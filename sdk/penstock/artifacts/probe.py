"""Trying a store out: one object is written, read, listed and deleted again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

from penstock.artifacts.identity import identify
from penstock.artifacts.store import PROBES, ArtifactStore
from penstock.errors import (
    CorruptArtifact,
    KeyTaken,
    NoSuchKey,
    PenstockError,
    StoreError,
    StoreUnavailable,
)  # fmt: skip
from penstock.model.component import Finding


def tried(store: ArtifactStore) -> Iterator[Finding]:
    """What works. Where a place cannot be opened or written to, the rest is not tried."""
    key, data = f"{PROBES}/{os.urandom(8).hex()}", os.urandom(1024)
    if problems := [Finding("use", False, text) for text in store.problems()]:
        yield from problems
        return
    for what, deed in (
        ("open", lambda: identify(store, make=False)),
        ("write", lambda: store.put(key, [data])),
    ):
        yield (found := _finding(what, deed))
        if not found.ok:
            return
    try:
        yield _finding("read", lambda: _read(store, key, data))
        yield _finding("list", lambda: _list(store, key))
        yield _finding("write once", lambda: _write_once(store, key, data))
        yield _finding("delete", lambda: _delete(store, key))
    finally:
        with suppress(StoreError):  # mostly it is gone, and what fails here has failed before
            store.delete(key)


def _finding(what: str, deed: Callable[[], object]) -> Finding:
    try:
        deed()
    except PenstockError as error:
        return Finding.of(what, error)
    return Finding(what, True)


def _read(store: ArtifactStore, key: str, data: bytes) -> None:
    if bytes(store.get(key)) != data:
        raise CorruptArtifact(
            f"{key} in {store.path} comes back as other bytes than were written.",
            hint="Something on the way changes what passes: look for a proxy or a gateway.",
        )


def _list(store: ArtifactStore, key: str) -> None:
    if key not in {entry.key for entry in store.keys(f"{PROBES}/")}:
        raise StoreUnavailable(
            f"{key} was just written, and no listing of {store.path} has it.",
            hint="Use a place whose listings are up to date at once.",
        )


def _write_once(store: ArtifactStore, key: str, data: bytes) -> None:
    with suppress(KeyTaken):
        store.put(key, [data], exclusive=True)
        raise StoreUnavailable(
            f"{store.path} lets a second writer take the place of the first one.",
            hint="Use a place with conditional writes.",
        )


def _delete(store: ArtifactStore, key: str) -> None:
    store.delete(key)
    with suppress(NoSuchKey):
        store.get(key)
        raise StoreUnavailable(f"{key} was deleted from {store.path}, and it is still there.")
