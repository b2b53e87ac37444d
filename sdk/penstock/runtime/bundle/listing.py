"""Listing: which files of a folder travel. What git knows or would take in; without git all but
what is of no use elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from penstock.errors import CannotRun, listed
from penstock.runtime.bundle import compiled, git, kept_out
from penstock.runtime.bundle.ignored import FILE, Ignored
from penstock.runtime.bundle.tree import quoted

MANY: Final = 200_000
"""Files that no project has: the folder is a whole disk, or all that a user has."""


class Listing(NamedTuple):
    """Paths below a folder, with forward slashes."""

    names: list[str]
    credentials: list[str]
    """What would be sent if its name did not say that secrets are in it."""
    remarks: list[str]


def of(folder: Path, root: Path) -> Listing:
    """The files of a project, or of a folder in one, whose root has the `.penstockignore`."""
    view = _View(folder, root)
    remarks: list[str] = []
    paths = _known_to_git(folder, remarks)
    if not paths:  # or git ignores the whole folder
        paths = [git.Known(name, tracked=False) for name in _walked(view)]
    return Listing(*_sorted_out(paths, view), remarks)


def with_needed(found: Listing, needed: Iterable[str], folder: Path, root: Path) -> Listing:
    """The same, with files that steps need and that would stay here otherwise, as git ignores them.
    What the project itself does not want stays here, and so do credentials."""
    there = {*found.names, *found.credentials}
    paths = [git.Known(name, tracked=True) for name in sorted({*needed} - there)]
    names, credentials = _sorted_out(paths, _View(folder, root))
    said = f"sent, as steps import them, though such files mostly stay here: {listed(names)}"
    remarks = [f"{said} (a line in {FILE} keeps one here)"] if names else []
    return Listing(
        [*found.names, *names], [*found.credentials, *credentials], [*found.remarks, *remarks]
    )


class _View:
    """A folder as its project sees it."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        above = os.path.relpath(folder, root)
        self._above = "" if above == "." else f"{above}/"
        self._ignored = Ignored(root)

    def said(self, name: str) -> bool | None:
        """True if the project does not want it, False if it does in spite of all, else None."""
        return self._ignored.of(self._above + name)

    def is_made(self, name: str) -> bool:
        path = self._above + name
        if kept_out.is_made_folder(path):  # a link to an environment, not a file of this name
            return os.path.islink(self.folder / name)
        return kept_out.is_made(path)

    def is_pruned(self, name: str) -> bool:
        """Whether nobody has to look into a folder."""
        path = self._above + name
        is_made = kept_out.is_made_folder(path) or kept_out.is_never(name)
        return is_made or self._ignored.whole(path)


def _known_to_git(folder: Path, remarks: list[str]) -> list[git.Known]:
    if not git.is_above(folder):
        return []
    if shutil.which("git") is None:
        remarks.append("git is not installed here: what .gitignore names is sent as well")
        return []
    try:
        return list(git.files(folder))
    except git.Refused as error:
        remarks.append(f"git does not list {folder} ({error}): what .gitignore names is sent too")
        return []


def _sorted_out(paths: Collection[git.Known], view: _View) -> tuple[list[str], list[str]]:
    """Those that are sent, and those that would be if they did not look like credentials."""
    marked = tuple(_marked(paths))
    names: list[str] = []
    credentials: list[str] = []
    for name, tracked in paths:
        said = view.said(name)
        made = not tracked and (view.is_made(name) or name.startswith(marked))
        if said or kept_out.is_never(name) or (made and said is None):
            continue
        if said is None and compiled.is_one(f"{view.folder}/{name}"):
            continue
        (credentials if said is None and kept_out.is_credential(name) else names).append(name)
    return names, credentials


def _marked(paths: Iterable[git.Known]) -> Iterator[str]:
    """The folders whose content says that they are of no use elsewhere."""
    inside: dict[str, set[str]] = {}
    for name, _ in paths:
        above, _, last = name.rpartition("/")
        if last in kept_out.MARKS and above:
            inside[above] = {last}
    for name, _ in paths if inside else ():
        for above, found in inside.items():
            if name.startswith(f"{above}/"):
                found.add(name[len(above) + 1 :].partition("/")[0])
    yield from (f"{above}/" for above, found in inside.items() if kept_out.is_marked(found))


def _walked(view: _View) -> Iterator[str]:
    """All files below a folder, without those in folders that nobody wants."""
    waiting, count = [""], 0
    while waiting:
        above = waiting.pop()
        entries = _entries(view.folder, above)
        if above and kept_out.is_marked({entry.name for entry in entries}):
            continue
        for entry in entries:
            name = f"{above}{entry.name}"
            if not entry.is_dir(follow_symlinks=False):
                yield name
            elif not view.is_pruned(name):
                waiting.append(f"{name}/")
        count += len(entries)
        if count > MANY:
            raise _no_project(view.folder)


def _entries(folder: Path, above: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder / above) as found:
            return list(found)
    except FileNotFoundError:  # it has vanished meanwhile
        return []
    except OSError as error:
        raise CannotRun(
            f"The folder {folder / above} cannot be read, and is to be sent: {error.strerror}.",
            hint=f"Make it readable, or leave it out: echo {quoted(f'/{above}')} >> {FILE}",
        ) from error


def _no_project(folder: Path) -> CannotRun:
    return CannotRun(
        f"{folder} holds more than {MANY:,} files, too many to be sent as a project's code.",
        hint="Start in the project's folder, and mark it as one: penstock init",
    )
