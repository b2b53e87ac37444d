"""Gathering: the project's files, and whatever code its steps reach in other folders."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from penstock.errors import CannotRun, listed
from penstock.runtime.bundle import imported, listing, placing
from penstock.runtime.bundle.ignored import FILE, Ignored
from penstock.runtime.bundle.imported import Loaded
from penstock.runtime.bundle.manifest import PROJECT
from penstock.runtime.bundle.placing import Home
from penstock.runtime.bundle.tree import Tree
from penstock.stack.project import Project

_MARKS: Final = ("penstock.yaml", "pyproject.toml", ".git")
"""What somebody puts into a folder on purpose."""


class Gathered(NamedTuple):
    """What travels, and where it is looked for."""

    trees: list[Tree]
    path: tuple[str, ...]
    remarks: list[str]


def gathered(root: Path, reached: Collection[str], known: Loaded) -> Gathered:
    """All of a project, and the packages and modules of the files that are reached elsewhere. Of
    what is `known`, the loaded code of the user's, all that an import of those files brings."""
    found = listing.of(root, root)
    names = frozenset(found.names)
    missing = {file for file in known.values() if not _is_among(file, names, root)}
    files = {*reached, *imported.by(reached, known, missing)}
    needed, bases, outside = [], set(), defaultdict(list)
    for file, home in placing.homes(sorted(files)).items():
        name, base = placing.inside(file, root), placing.inside(home.base, root)
        if name is None or base is None or os.path.basename(home.path) != home.file:
            outside[home].append(file)
            continue
        bases.add(base)
        if not _is_among(file, names, root):
            needed.append(name)
    found = listing.with_needed(found, needed, root, root)
    remarks = [*found.remarks, *_kept_out(found.credentials)]
    trees = [Tree(PROJECT, root, tuple(found.names), root)]
    more = placing.numbered(map(_source, outside))
    for home, inside in outside.items():
        trees.append(_tree(home, inside, more[_source(home)], remarks))
    path = placing.path(root, _folders(found.names), more, sorted(bases))
    return Gathered(trees, path, remarks)


def refuse_no_project(root: Path) -> None:
    """Raise `CannotRun` for a disk, or for all that a user has: nobody means to send that."""
    if root not in (Path("/"), Path(os.path.expanduser("~"))):
        return
    if not any(os.path.lexists(root / mark) for mark in _MARKS):
        raise CannotRun(
            f"{root} would be sent as the project's code, with all that is in it.",
            hint="Start in the project's folder, and mark it as one: penstock init",
        )


def refuse_ignored(root: Path, files: Iterable[str]) -> None:
    """Raise `CannotRun` if the project does not want files to be sent in which steps are."""
    ignored = Ignored(root)
    names = [placing.inside(file, root) for file in files]
    if unwanted := [name for name in names if name is not None and ignored.of(name)]:
        raise CannotRun(
            f"Steps are written in {listed(unwanted)}, and {root / FILE} says that this is not "
            "to be sent.",
            hint=f"Take the line out of {FILE}, or bring it back with one more: !/{unwanted[0]}",
        )


def _tree(home: Home, needed: Iterable[str], place: str, remarks: list[str]) -> Tree:
    """A package with all that is in its folder, or a module by itself."""
    folder = Path(home.path)
    root = Project.find(folder.parent).root
    if not folder.is_dir():
        return Tree(place, folder.parent, (folder.name,), root)
    found = listing.of(folder, root)
    there = frozenset(found.names)
    names = [placing.inside(file, folder) for file in needed if not _is_among(file, there, folder)]
    found = listing.with_needed(found, filter(None, names), folder, root)
    remarks += [*found.remarks, *_kept_out([f"{folder}/{name}" for name in found.credentials])]
    return Tree(f"{place}/{home.name}", folder, tuple(found.names), root)


def _is_among(file: str, names: Container[str | None], folder: Path) -> bool:
    """Whether a file is one of these in a folder, maybe by way of a link."""
    if placing.inside(file, folder) in names:
        return True
    return placing.inside(os.path.realpath(file), folder) in names


def _source(home: Home) -> str:
    """What is numbered: all that one folder is searched for lies in one folder again, but what is
    called otherwise than it is imported."""
    return home.base if os.path.basename(home.path) == home.file else home.path


def _kept_out(credentials: Sequence[str]) -> list[str]:
    names = listed(sorted(credentials))
    said = f"not sent, as such files hold secrets: {names} (a line !NAME in {FILE} sends one)"
    return [said] if credentials else []


def _folders(names: Iterable[str]) -> frozenset[str]:
    """All that have files in them; a zip is searched as well."""
    found = {""}
    for name in names:
        while name not in found:
            found.add(name)
            name = name.rpartition("/")[0]
    return frozenset(found)
