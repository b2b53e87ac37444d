"""Marks: the digests that are named in what stays.

A record is not taken apart for this: whatever looks like a digest in its bytes is one. So also what
a later version has written, or what is damaged, keeps all that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.errors import NoSuchKey

_DIGEST: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


class Marks:
    """The digests that were found so far: of objects, and keys of the cache."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._named: set[bytes] = set()

    def __contains__(self, digest: str) -> bool:
        return bytes.fromhex(digest) in self._named

    def name(self, digests: Iterable[str]) -> None:
        """Mark these themselves."""
        self._named.update(map(bytes.fromhex, digests))

    def add(self, key: str) -> list[str]:
        """Mark what is named in one record, or in an object, and say what that is; nothing if it
        is gone by now."""
        found = _DIGEST.findall(self._bytes(key))
        self._named.update(bytes.fromhex(digest.decode()) for digest in found)
        return [digest.decode() for digest in found]

    def _bytes(self, key: str) -> Buffer:
        try:
            return self._store.get(key)
        except NoSuchKey:
            return b""
