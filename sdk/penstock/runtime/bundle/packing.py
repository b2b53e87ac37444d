"""Packing: a project's code as one archive. The same code makes the same bytes, so a run with
nothing new uploads nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from penstock.errors import CannotRun
from penstock.lazy import lazy
from penstock.runtime.bundle import (
    archive,
    gathering,
    imported,
    leaks,
    manifest,
    own,
    placing,
    reading,
    tree,
)
from penstock.runtime.bundle.archive import Member
from penstock.runtime.bundle.declared import Declared
from penstock.runtime.bundle.tree import Leaf, Tree
from penstock.runtime.fingerprints import modules
from penstock.stack.project import FILE, Project

if TYPE_CHECKING:
    from penstock.runtime.bundle import notebook
else:
    notebook = lazy("penstock.runtime.bundle.notebook")  # only for what cells define


_CELL: Final = re.compile(r"/ipykernel_\d+/\d+\.py$")


class Packed(NamedTuple):
    """An archive."""

    data: bytes
    remarks: Sequence[str]
    """What stays here, and why: sentences for whoever starts the run."""


class Collected(NamedTuple):
    """What travels of a project."""

    members: list[Member]
    path: tuple[str, ...]
    """Where the archive is searched for modules."""
    remarks: list[str]


def packed(
    project: Project,
    steps: Iterable[Declared],
    files: Iterable[str],
    secrets: Mapping[str, str],
    *,
    limit: int = reading.LIMIT,
    without: Collection[str] = (),
) -> Packed:
    """The project, and what else its `steps` need: `files` are all that they reach. None of it may
    hold a value of `secrets`, which are given by name. Files `without` stay here: absolute paths.

    Raises `CannotRun`."""
    found = collected(project, list(steps), files, secrets, limit=limit, without=without)
    code = own.read(own.packages())
    main = any(member.name == manifest.MAIN for member in found.members)
    about = manifest.to_bytes(found.path, main=main, sources=own.sources(code))
    more = [Member(manifest.NAME, about)]
    if code:
        more.append(Member(manifest.PENSTOCK, own.packed(code)))
    return Packed(archive.written([*found.members, *more]), found.remarks)


def collected(
    project: Project,
    steps: Sequence[Declared],
    files: Iterable[str],
    secrets: Mapping[str, str],
    *,
    limit: int = reading.LIMIT,
    without: Collection[str] = (),
) -> Collected:
    """The same, without penstock and before it is an archive."""
    gathering.refuse_no_project(project.root)
    homes = list(_files_of(steps))
    gathering.refuse_ignored(project.root, homes)
    ours = own.packages()
    reached = {file for file in (*files, *homes) if _counts(file, ours.values())}
    found = gathering.gathered(project.root, reached, imported.loaded(without=ours))
    leaves = _leaves(found.trees, without)
    reading.check_size(leaves, limit)
    members = [*reading.members(leaves, found.remarks), *_cells(steps)]
    places = {leaf.place: leaf.path for leaf in leaves} | {manifest.MAIN: "the notebook's module"}
    leaks.refuse(members, places, secrets)
    if f"{manifest.PROJECT}/{FILE}" in places:
        leaks.refuse_written(project)
    return Collected(members, found.path, found.remarks)


def _leaves(trees: Iterable[Tree], without: Collection[str]) -> list[Leaf]:
    """What travels of some trees: nothing that is being written now."""
    shown = tree.shown()
    found = tree.leaves(trees)
    return [leaf for leaf in found if leaf.path not in without and leaf.inode not in shown]


def _counts(file: str, ours: Iterable[Path]) -> bool:
    """Whether a file is there, and neither of an installed library, which the image has, nor
    penstock's own, nor a cell, as debuggers write them."""
    if own.is_installed(file) or _CELL.search(file) or not os.path.isfile(file):
        return False
    return all(placing.inside(file, folder) is None for folder in ours)


def _cells(steps: Iterable[Declared]) -> Iterator[Member]:
    """What cells have defined, if steps are among that."""
    if here := [step for step in steps if _is_of_cells(step)]:
        yield Member(manifest.MAIN, notebook.module(here).encode("utf-8", "surrogatepass"))


def _files_of(steps: Iterable[Declared]) -> Iterator[str]:
    """The files in which steps are. Raises `CannotRun`."""
    for step in steps:
        module, _, name = step.reference.partition(":")
        if "<locals>" in name:
            raise CannotRun(
                f"{step.reference!r} is defined inside a function, where no other machine finds "
                "it.",
                hint="Define it at the top level of its module.",
            )
        if _is_of_cells(step):
            continue
        file = modules.file_of(module)
        if file is None or not os.path.isfile(file):
            raise CannotRun(
                f"{step.reference!r} is in the module {module!r}, which has no file, so it cannot "
                "run on another machine.",
                hint="Write it in a file.",
            )
        yield file


def _is_of_cells(step: Declared) -> bool:
    """Whether it is of this process's `__main__`, and that is no file."""
    return step.reference.startswith("__main__:")
