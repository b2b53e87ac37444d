"""Trying a store out: one object is written, read, listed and deleted again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from penstock.artifacts.identity import identify
from penstock.artifacts.store import PROBES, ArtifactStore
from penstock.errors import (
    CannotRun,
    CorruptArtifact,
    KeyTaken,
    NoSuchKey,
    PenstockError,
    StoreError,
    StoreUnavailable,
)  # fmt: skip
from penstock.model.component import Finding


def tried(store: ArtifactStore) -> Iterator[Finding]:
    """What works. Where a place cannot be opened, the rest is not tried; where it cannot be written
    to, what readers need still is."""
    key, data = f"{PROBES}/{os.urandom(8).hex()}", os.urandom(1024)
    if problems := [
        Finding("use", False, text, exit_code=CannotRun.exit_code) for text in store.problems()
    ]:
        yield from problems
        return
    yield (opened := _finding("open", lambda: identify(store, make=False)))
    if not opened.ok:
        return
    written = _finding("write", lambda: store.put(key, [data]))
    if not written.ok:
        yield from _read_only(store, written)
        return
    yield written
    try:
        yield _finding("read", lambda: _read(store, key, data))
        yield _finding("list", lambda: _list(store, key))
        yield _finding("write once", lambda: _write_once(store, key, data))
        yield _finding("delete", lambda: _delete(store, key))
    finally:
        with suppress(StoreError):  # mostly it is gone, and what fails here has failed before
            store.delete(key)


def _read_only(store: ArtifactStore, written: Finding) -> Iterator[Finding]:
    """What can be said where nothing can be written."""
    listed = _finding("list", lambda: next(iter(store.keys("")), None))
    if listed.ok and not written.hint:
        written = replace(written, hint="It can be listed, so perhaps it is read-only.")
    yield written
    yield listed


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
