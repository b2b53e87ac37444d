"""fsspec's view of any store, made of the store's own methods. For reading only."""

from __future__ import annotations

import io
from typing import Any, ClassVar

from fsspec import AbstractFileSystem

from penstock.artifacts.store import ArtifactStore
from penstock.errors import NoSuchKey, StoreError


class StoreView(AbstractFileSystem):  # type: ignore[misc]
    """A store as a file system, for flavors whose place fsspec does not know."""

    protocol: ClassVar[str] = "penstock"
    cachable: ClassVar[bool] = False  # two stores that are equal may still be two views

    def __init__(self, store: ArtifactStore) -> None:
        super().__init__()
        self._store = store

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        key = self._strip_protocol(path).strip("/")
        try:
            entry = self._store.stat(key)
        except (NoSuchKey, StoreError):  # of no key at all as well: there is nothing
            if key and next(self._store.keys(f"{key}/"), None) is None:
                raise FileNotFoundError(path) from None
            return {"name": key, "size": 0, "type": "directory"}
        return {"name": key, "size": entry.size, "type": "file", "modified": entry.modified}

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        found = self.info(path)
        if found["type"] == "directory":
            prefix = f"{found['name']}/" if found["name"] else ""
            entries = [
                {
                    "name": entry.key.rstrip("/"),
                    "size": entry.size,
                    "type": "directory" if entry.key.endswith("/") else "file",
                }
                for entry in self._store.keys(prefix)
            ]
        else:
            entries = [found]
        return entries if detail else [entry["name"] for entry in entries]

    def _open(self, path: str, mode: str = "rb", **options: Any) -> io.BytesIO:
        if mode != "rb":
            raise OSError(f"{path}: this view of a store is for reading only.")
        try:
            return io.BytesIO(self._store.get(self._strip_protocol(path).strip("/")))
        except NoSuchKey:
            raise FileNotFoundError(path) from None
