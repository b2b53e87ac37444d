"""A tree: files that travel together, as they lie on this machine, and where they go."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from penstock.runtime.bundle.ignored import FILE

Inode = tuple[int, int]
"""What file it is, whatever it is called: its device, and its number there."""


class Tree(NamedTuple):
    """Some files below one folder."""

    place: str
    """The folder in the archive."""
    folder: Path
    names: tuple[str, ...]
    """Below both, with forward slashes."""
    root: Path
    """The folder whose `.penstockignore` counts for them."""


class Leaf(NamedTuple):
    """One of them, and what the file system says of it."""

    tree: Tree
    name: str
    found: os.stat_result

    @property
    def path(self) -> str:
        return f"{self.tree.folder}/{self.name}"

    @property
    def place(self) -> str:
        """Its name in the archive."""
        return f"{self.tree.place}/{self.name}"

    @property
    def inode(self) -> Inode:
        return self.found.st_dev, self.found.st_ino

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.found.st_mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.found.st_mode)

    @property
    def leaves_out(self) -> str:
        """What to type so that it stays here."""
        name = os.path.relpath(self.path, self.tree.root)
        return f"echo {quoted(f'/{name}')} >> {quoted(str(self.tree.root / FILE))}"


def leaves(trees: Iterable[Tree]) -> list[Leaf]:
    """All that is there: a file may vanish while we look."""
    found = []
    for tree in trees:
        for name in tree.names:
            try:
                found.append(Leaf(tree, name, os.lstat(f"{tree.folder}/{name}")))
            except (FileNotFoundError, NotADirectoryError):
                continue
    return found


def shown() -> frozenset[Inode]:
    """The files into which a shell has this process print: `> run.log` is new each time."""
    found = set()
    for number in (1, 2):
        with suppress(OSError):  # it may be closed
            opened = os.fstat(number)
            found.add((opened.st_dev, opened.st_ino))
    return frozenset(found)


def quoted(text: str) -> str:
    """A word as a shell reads it."""
    from shlex import quote  # only when something is wrong

    return quote(text)
