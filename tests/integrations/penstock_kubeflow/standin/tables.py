"""What the stand-in knows, as files: a folder for each kind, a JSON document for each object."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from typing import Any


class Table:
    """Objects of one kind by their ids. What is put is on the disk before anybody hears of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = RLock()
        self._rows: dict[str, dict[str, Any]] = {}
        for file in sorted(folder.glob("*.json")):
            self._rows[file.stem] = json.loads(file.read_text())

    def put(self, id_: str, row: dict[str, Any]) -> None:
        """Write it as a whole."""
        with self._lock:
            file = self._folder / f"{id_}.json"
            new = file.with_suffix(".new")
            new.write_text(json.dumps(row))
            os.replace(new, file)
            self._rows[id_] = row

    def change(self, id_: str, **values: Any) -> dict[str, Any]:
        """Some of its values."""
        with self._lock:
            self.put(id_, {**self._rows[id_], **values})
            return self._rows[id_]

    def get(self, id_: str) -> dict[str, Any] | None:
        return self._rows.get(id_)

    def delete(self, id_: str) -> None:
        with self._lock:
            (self._folder / f"{id_}.json").unlink(missing_ok=True)
            self._rows.pop(id_, None)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._lock:
            return iter([*self._rows.values()])
