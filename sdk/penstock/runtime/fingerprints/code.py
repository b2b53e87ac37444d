"""The code of a run: what its steps reach of the project, kept in the store to be compared later.

One object for equal code: the units, which of them each step reaches, and the files that they are
in, whose texts are objects of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock.digest import digest, is_digest
from penstock.model.records import Part
from penstock.runtime.fingerprints import source
from penstock.runtime.fingerprints.unit import Fingerprint, Unit

_dump: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode

Keep = Callable[[bytes], Part]
"""Stores bytes, and says under which digest."""

Hide = Callable[[str], str]
"""Takes the secrets out of a text."""


@dataclass(frozen=True, slots=True)
class KeptCode:
    """What a run knows of its code."""

    units: tuple[Unit, ...]
    """All of them; their files are relative to the root of the project."""
    steps: Mapping[str, tuple[int, ...]]
    """Step → the numbers of the units that it reaches."""
    texts: Mapping[str, str]
    """File → the digest of its text."""

    def units_of(self, step: str) -> dict[str, Unit]:
        """What a step, by its reference, reaches: by name. Empty for a step that is not known."""
        return {self.units[number].name: self.units[number] for number in self.steps.get(step, ())}

    def text(self, unit: Unit, fetch: Callable[[str], bytes]) -> str | None:
        """The lines of a unit's source; None if they were not there to be kept."""
        digest = self.texts.get(unit.file)
        if digest is None or not 0 < unit.first <= unit.last:
            return None
        lines = fetch(digest).decode("utf-8", "surrogatepass").split("\n")
        return "".join(f"{line}\n" for line in lines[unit.first - 1 : unit.last])


def write(
    surveyed: Mapping[str, Fingerprint],
    others: Iterable[Unit],
    root: Path,
    keep: Keep,
    hide: Hide = str,
) -> str:
    """Store the code of steps and all `others`; the digest of the object that has it.

    A text that is there already is not written again, nor is the object. Source and the values of
    globals may hold secrets: `hide` takes them out.
    """
    found = {unit for fingerprint in surveyed.values() for unit in fingerprint.units}
    units = sorted(found.union(others))
    numbers = {unit: number for number, unit in enumerate(units)}
    files = sorted({unit.file for unit in units if unit.file})
    kept = [[shown(file, root), _text(file, keep, hide)] for file in files]
    places = {file: number for number, file in enumerate(files)}
    data = {
        "steps": {
            step: sorted(numbers[unit] for unit in set(fingerprint.units))
            for step, fingerprint in surveyed.items()
        },
        "units": [
            [
                *(unit.name, _hidden(unit.digest, hide), unit.kind, places.get(unit.file, -1)),
                *(unit.first, unit.last, hide(unit.note)),
            ]
            for unit in units
        ],
        "files": kept,
    }
    return keep(_dump(data).encode()).digest


def _hidden(text: str, hide: Hide) -> str:
    """What stands for a unit. Of plain data that is the data: one with a secret in it is hashed, so
    that another secret is another text still."""
    return text if hide(text) == text else digest("hidden/1", text)


def read(data: bytes) -> KeptCode:
    """The code that was written. Raises `ValueError`, `LookupError`, `TypeError` or
    `AttributeError` for anything else."""
    found = json.loads(data)
    files = [(str(name), str(digest)) for name, digest in found["files"]]
    units = tuple(_unit(item, files) for item in found["units"])
    steps = {str(step): tuple(map(int, numbers)) for step, numbers in found["steps"].items()}
    if any(not 0 <= number < len(units) for numbers in steps.values() for number in numbers):
        raise ValueError("a step reaches a unit that is not there")
    texts = {name: digest for name, digest in files if is_digest(digest)}
    return KeptCode(units, steps, texts)


def shown(file: str, root: Path) -> str:
    """A file as it is written down: relative to the root of the project if it is in there."""
    try:
        return Path(file).relative_to(root).as_posix()
    except ValueError:
        return file


def _text(file: str, keep: Keep, hide: Hide) -> str:
    """The digest of a file's text as it was when it was looked at; nothing if there is none."""
    text = "".join(source.lines(file))
    return keep(hide(text).encode("utf-8", "surrogatepass")).digest if text else ""


def _unit(item: list[object], files: list[tuple[str, str]]) -> Unit:
    name, digest, kind, file, first, last, note = item
    if type(file) is not int or type(first) is not int or type(last) is not int:
        raise TypeError(f"{item!r} is no unit")
    place = files[file][0] if file >= 0 else ""
    return Unit(str(name), str(digest), str(kind), place, first, last, str(note))
