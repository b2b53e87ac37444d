"""Our ways to keep a value: in a local artifact store, as outputs of steps are, without any."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar, Literal

from ways import Way

from penstock import LocalArtifactStore
from penstock.artifacts.values import Trust, Values
from penstock.model.records import Artifact
from penstock.runtime.fingerprints.fingerprints import Fingerprints


class Shelf(Way):
    """Written, written once more unchanged, read as what this machine has written, and read as what
    came from elsewhere."""

    name = "penstock"
    phases: ClassVar[tuple[str, ...]] = ("write", "again", "read", "hashed")

    def __init__(self, value: Any, place: Path) -> None:
        super().__init__(value, place)
        self._values = self._stored("once")
        self._always = self._stored("always")

    def write(self) -> None:
        self.kept = self._save(self.value)

    def again(self) -> None:
        self.write()

    def read(self) -> Any:
        return self._load(self._values, self.kept)

    def hashed(self) -> Any:
        """Every byte is looked at before it is believed."""
        return self._load(self._always, self.kept)

    def objects(self) -> int:
        """How many there are in the store."""
        return sum(1 for path in self.place.glob("store/objects/*/*") if path.is_file())

    def _stored(self, verify: Literal["once", "always"]) -> Values:
        store = LocalArtifactStore(path=str(self.place / "store"), verify=verify)
        return Values(store, Fingerprints().of_names)

    def _save(self, value: Any) -> Artifact:
        return self._values.save(value, type(value), "The value")

    def _load(self, values: Values, kept: Artifact) -> Any:
        folder = partial(mkdtemp, dir=self.place)
        kind = type(self.value)
        return values.load(kept, kind, "The value", lambda: Path(folder()), Trust(True))


class SmallShelf(Shelf):
    """Each of several small values for itself."""

    phases = ("write", "read")

    def write(self) -> None:
        self._all = [self._save(value) for value in self.value]

    def read(self) -> list[Any]:
        return [self._load(self._values, kept) for kept in self._all]


class TreeShelf(Shelf):
    """A folder of files, in a store that is not new: its 256 folders for objects are there."""

    def __init__(self, value: Path, place: Path) -> None:
        super().__init__(value, place)
        for number in range(256):
            (place / f"store/objects/{number:02x}").mkdir(parents=True)


class ChangedShelf(Shelf):
    """A folder that is kept already, but for one file."""

    phases = ("write", "read")

    def __init__(self, value: Path, place: Path) -> None:
        super().__init__(value, place)
        before = place / "before"
        shutil.copytree(value, before)
        next(path for path in before.rglob("*") if path.is_file()).write_bytes(b"another")
        self._save(before)
        self._objects = self.objects()

    def new_objects(self) -> int:
        return self.objects() - self._objects
