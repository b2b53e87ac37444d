"""The files that say what there is: the project's, then the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from penstock.stack.configuration import Configuration
from penstock.stack.file import read
from penstock.stack.flavor import Own
from penstock.stack.project import Project, user_file


def paths(project: Project) -> tuple[Path, ...]:
    """Where they are, or would be."""
    own, file = user_file(), project.file
    return (file, own) if own and own != file else (file,)


def files(project: Project) -> tuple[Configuration, ...]:
    """What they say now. Raises `BadConfiguration`."""
    return tuple(map(read, paths(project)))


def flavors(files: Iterable[Configuration]) -> Own:
    """Flavors that they define; of the same name, the first file's."""
    merged: dict[str, dict[str, str]] = {}
    for file in files:
        for category, found in file.flavors.items():
            merged[category] = {**found, **merged.get(category, {})}
    return merged
