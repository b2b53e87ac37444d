"""Contents: what of a store is penstock's own, kind by kind, and what others have left there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from penstock.artifacts.compression import ENDING
from penstock.artifacts.identity import KEY
from penstock.artifacts.store import PROBES, ArtifactStore, Entry
from penstock.model.names import ALLOWED
from penstock.runtime.cleaning import compilations
from penstock.runtime.runid import PATTERN
from penstock.runtime.scheduling.record import SHELF as SCHEDULES
from penstock.runtime.tags import TAGS

SHELVES: Final = (
    *("objects", "cache", "checkpoints", "corrupt", "runs", PROBES, TAGS),
    *("jobs", "environments", compilations.SHELF, SCHEDULES),
)

FILES: Final = ("run.json", "end.json", "submitted.json", "beat", "cancel", "pin")
FOLDERS: Final = ("steps", "attempts", "logs", "expansions", "beats")
"""What lies in the folder of a run."""

_NEIGHBOUR: Final = re.compile(r"active(\.[0-9a-f-]+)?")
"""What a project keeps beside the default store: see `penstock.stack.project`."""

_HEX: Final = "[0-9a-f]{64}"
_NAMES: Final = {
    "objects": re.compile(rf"{_HEX}({re.escape(ENDING)})?"),
    "cache": re.compile(rf"{_HEX}(\.[0-9a-f]{{16}})?"),
    "checkpoints": re.compile(_HEX),
    "corrupt": re.compile(rf"{_HEX}({re.escape(ENDING)})?"),
    compilations.SHELF: re.compile(_HEX),
    SCHEDULES: ALLOWED,
}


class Contents:
    """What lies in one store."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self.foreign: dict[str, None] = {}
        """Keys that are none of ours, as far as somebody has looked."""
        for entry in store.keys(""):
            if entry.name not in (*SHELVES, KEY) and not _NEIGHBOUR.fullmatch(entry.name):
                self.foreign[entry.key] = None

    def runs(self) -> list[str]:
        """The ids of all runs, and of what is left of one; the newest first."""
        found = []
        for entry in self.store.keys("runs/"):
            if entry.key.endswith("/") and PATTERN.fullmatch(entry.name):
                found.append(entry.name)
            else:
                self.foreign[entry.key] = None
        return found[::-1]

    def of_run(self, run: str) -> list[Entry]:
        """All of a run's own files, its first record first."""
        found: list[Entry] = []
        for entry in self.store.keys(f"runs/{run}/"):
            folder = entry.key.endswith("/")
            if entry.name not in (FOLDERS if folder else FILES):
                self.foreign[entry.key] = None
            elif folder:
                found += self._inside(entry.key)
            else:
                found.append(entry)
        return sorted(found, key=lambda entry: not entry.key.endswith("/run.json"))

    def shelf(self, name: str) -> Iterator[Entry]:
        """What lies on a shelf under the first letters of its names."""
        for folder in self.store.keys(f"{name}/"):
            if not re.fullmatch(r"[0-9a-f]{2}/", folder.key.removeprefix(f"{name}/")):
                self.foreign[folder.key] = None
                continue
            for entry in self.store.keys(folder.key):
                if self._is_own(name, entry, folder.name):
                    yield entry

    def corrupt(self) -> Iterator[Entry]:
        """Objects that were moved aside."""
        return self._flat("corrupt")

    def compiled(self) -> Iterator[Entry]:
        """What is said of pipelines that were compiled."""
        return self._flat(compilations.SHELF)

    def schedules(self) -> Iterator[Entry]:
        """What is said of pipelines that an engine starts by the clock."""
        return self._flat(SCHEDULES)

    def probes(self) -> Iterator[Entry]:
        """What checks of the store have left that were killed."""
        return self._inside(f"{PROBES}/")

    def tags(self) -> list[Entry]:
        """Every tag."""
        return list(self._inside(f"{TAGS}/"))

    def _flat(self, name: str) -> Iterator[Entry]:
        for entry in self.store.keys(f"{name}/"):
            if self._is_own(name, entry):
                yield entry

    def _is_own(self, shelf: str, entry: Entry, begin: str = "") -> bool:
        own = not entry.key.endswith("/") and _NAMES[shelf].fullmatch(entry.name) is not None
        if own and entry.name.startswith(begin):
            return True
        self.foreign[entry.key] = None
        return False

    def _inside(self, folder: str) -> Iterator[Entry]:
        for entry in self.store.keys(folder):
            if entry.key.endswith("/"):
                yield from self._inside(entry.key)
            else:
                yield entry
