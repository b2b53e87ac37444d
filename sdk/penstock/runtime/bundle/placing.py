"""Placing: where the code that steps reach goes in the archive, and where it is looked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from penstock.model.names import module_name
from penstock.runtime.bundle.manifest import MORE, PROJECT
from penstock.runtime.elsewhere import search_path
from penstock.runtime.fingerprints import modules


class Home(NamedTuple):
    """Where an import finds the top-level package or module that a file is of."""

    name: str
    """Under which it is imported."""
    path: str
    """The folder of the package, or the file of the module."""

    @property
    def base(self) -> str:
        """The folder that is searched for it."""
        return os.path.dirname(self.path)

    @property
    def file(self) -> str:
        """How it must be called to be found."""
        return self.name if os.path.isdir(self.path) else f"{self.name}{_end(self.path)}"


def homes(files: Iterable[str]) -> dict[str, Home]:
    """Of each of these files."""
    names = _loaded()
    return {file: _home(file, names.get(os.path.abspath(file), "")) for file in files}


def inside(path: str, folder: Path) -> str | None:
    """A path below a folder, with forward slashes; None if it is somewhere else."""
    for one, other in (
        (os.path.abspath(path), str(folder)),
        (os.path.realpath(path), os.path.realpath(folder)),
    ):
        if one == other:
            return ""
        if one.startswith(other.rstrip("/") + "/"):
            return one[len(other.rstrip("/")) + 1 :]
    return None


def numbered(bases: Iterable[str]) -> dict[str, str]:
    """A folder in the archive for each folder of ours from which code is taken, in the order in
    which they are searched."""
    order = [os.path.realpath(entry) for entry in search_path.for_same()]
    real = {base: os.path.realpath(base) for base in bases}
    ranks = {base: order.index(at) if at in order else len(order) for base, at in real.items()}
    known = sorted(ranks, key=lambda base: (ranks[base], base))
    return {base: f"{MORE}/{number}" for number, base in enumerate(known)}


def path(
    root: Path, folders: frozenset[str], more: Mapping[str, str], needed: Sequence[str]
) -> tuple[str, ...]:
    """What `sys.path` begins with: the folders of the archive in which this process looks, in its
    order; then others that something `needed` lies in; the project's own last.

    `folders` are those of the project that have files.
    """
    real = {os.path.realpath(base): place for base, place in more.items()}
    found = []
    for entry in search_path.for_same():
        name = inside(entry, root)
        if (place := real.get(os.path.realpath(entry))) is not None:
            found.append(place)
        elif name is not None and name in folders:
            found.append(_in_project(name))
    return tuple(dict.fromkeys([*found, *more.values(), *map(_in_project, needed), PROJECT]))


def _in_project(name: str) -> str:
    return f"{PROJECT}/{name}" if name else PROJECT


def _loaded() -> dict[str, str]:
    """The names of modules by their files. What runs is known by what it would be imported as."""
    found: dict[str, str] = {}
    for name, module in [*sys.modules.items()]:
        file = modules.attribute(module, "__file__")
        if isinstance(file, str) and (name != "__main__" or file not in found):
            found[os.path.abspath(file)] = module_name(name)
    return found


def _home(file: str, name: str) -> Home:
    """By its module's name; of a file that is not loaded, by the packages that it lies in."""
    folder, base = os.path.split(os.path.abspath(file))
    stem = base.partition(".")[0]
    parts = name.split(".") if name else _climbed(folder, stem)
    package = stem == "__init__" or (stem == "__main__" and parts[-1] != "__main__")
    if len(parts) == 1 and not package:
        return Home(parts[0], os.path.abspath(file))
    for _ in range(len(parts) - (1 if package else 2)):
        folder = os.path.dirname(folder)
    return Home(parts[0], folder)


def _climbed(folder: str, stem: str) -> list[str]:
    parts = [] if stem == "__init__" else [stem]
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
        parts.insert(0, name)
    return parts or [stem]


def _end(path: str) -> str:
    return os.path.basename(path)[len(os.path.basename(path).partition(".")[0]) :]
