"""What installed packages offer: flavors, by name. Nothing of theirs is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from penstock.errors import BadConfiguration

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PREFIX: Final = "penstock."
"""Of the entry point group of a category: `penstock.artifact_stores`."""


@dataclass(frozen=True, slots=True, order=True)
class Offer:
    """One entry point of a package."""

    section: str
    """Of which category, in the plural: `artifact_stores`."""
    name: str
    package: str
    """The distribution that brings it."""
    target: str
    """`module:Class`."""
    extras: tuple[str, ...] = ()
    """Extras of the package that it needs."""
    version: str = ""
    """Of the package."""


_seen: Final[dict[object, tuple[Offer, ...]]] = {}
"""What was found, under what the places looked like where it was looked for: at most one."""


def offers() -> tuple[Offer, ...]:
    """All of them, in order; read again when something was installed since."""
    places = tuple(map(_place, sys.path))
    found = _seen.get(places)
    if found is None:
        found = tuple(sorted(_found()))
        _seen.clear()
        _seen[places] = found
    return found


def _place(entry: str) -> tuple[str, int, int]:
    """A folder that modules are found in, and what changes when a package comes or goes."""
    try:
        status = os.stat(entry or os.curdir)
    except (OSError, ValueError):
        return entry, 0, 0
    return entry, status.st_ino, status.st_mtime_ns


def _found() -> Iterator[Offer]:
    from importlib.metadata import distributions  # 46 ms; the local stack never comes here

    for package in distributions():
        # Most have none of ours. To parse those as well would take twice the time.
        if f"[{PREFIX}" in _entry_points(package) and _counts(package):
            yield from _offers(package)


def _entry_points(package: Distribution) -> str:
    try:
        return package.read_text("entry_points.txt") or ""
    except UnicodeDecodeError:  # whatever that is, no name of ours is in it
        return ""


def _counts(package: Distribution) -> bool:
    """Whether it is what Python finds under its name: what an update has left behind is not."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        first = distribution(package.name)
    except (PackageNotFoundError, ValueError, TypeError):  # what is left of it has no name
        return False
    return _entry_points(first) == _entry_points(package)


def _offers(package: Distribution) -> list[Offer]:
    try:
        return [
            Offer(
                entry.group.removeprefix(PREFIX),
                entry.name,
                package.name,
                entry.value.partition("[")[0].strip(),
                tuple(entry.extras),
                package.version,
            )
            for entry in package.entry_points
            if entry.group.startswith(PREFIX)
        ]
    except (AttributeError, TypeError, ValueError) as error:  # of Python's own reading
        raise BadConfiguration(
            f"The entry points of the package {package.name!r} cannot be read: each is "
            "name = module:Class.",
            hint=f"That is for its makers to put right. pip uninstall {package.name} helps here.",
        ) from error
