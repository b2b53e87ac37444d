"""Formats that installed packages bring: found by name, loaded when they are needed.

A package names its format twice in the entry points `penstock.materializers`: by the format's id,
for whoever loads a value, and by the class whose values it takes, for whoever stores one.

    "acme.grid/1" = "acme.grid_format:GridFormat"
    "acme.grid.Grid" = "acme.grid_format:GridFormat"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.materializer import Composite, Materializer
from penstock.errors import BadConfiguration, MissingExtra, NameTaken, listed, raised_at

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "penstock.materializers"

ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]*/[0-9]+")
"""What a format's id looks like. No class has a name like this."""

FormatClass = type[Materializer[Any]] | type[Composite[Any]]


def ids() -> list[str]:
    """The formats that are installed. Nothing is loaded."""
    return [name for name in _entries() if ID.fullmatch(name)]


@cache
def find(name: str) -> FormatClass | None:
    """The format of this id, or for the class of this name; None if no package brings one.

    Raises `MissingExtra`, `BadConfiguration` or `NameTaken`.
    """
    if name not in _entries():
        return None
    entry, *others = _entries()[name]
    if others:
        raise NameTaken(
            f"Several packages bring a format for {name!r}: "
            f"{', '.join(map(_shown, (entry, *others)))}.",
            hint="Uninstall all but one of them.",
        )
    return _checked(name, entry, _loaded(entry, name))


@cache
def _entries() -> Mapping[str, list[EntryPoint]]:
    """By name, in the order of the packages' names; equal ones once."""
    from importlib.metadata import entry_points  # heavy: it reads every installed distribution

    found: dict[str, dict[str, EntryPoint]] = {}
    for entry in sorted(entry_points(group=GROUP), key=_shown):
        found.setdefault(entry.name, {}).setdefault(entry.value, entry)
    return {name: list(entries.values()) for name, entries in found.items()}


def _loaded(entry: EntryPoint, name: str) -> object:
    try:
        return entry.load()
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"The format for {name!r}, {_shown(entry)}, needs the library {error.name!r}, which is "
            "not installed."
        ) from error
    except (Exception, SystemExit) as error:  # whatever a stranger's module does
        raise BadConfiguration(
            f"The format for {name!r}, {_shown(entry)}, cannot be loaded: "
            f"{type(error).__name__}: {error} ({raised_at(error)})"
        ) from error


def _checked(name: str, entry: EntryPoint, found: Any) -> FormatClass:
    who = f"The format for {name!r}, {_shown(entry)},"
    if not (isinstance(found, type) and issubclass(found, (Materializer, Composite))):
        raise BadConfiguration(f"{who} is neither a Materializer nor a Composite.")
    id = getattr(found, "format", None)
    if ID.fullmatch(name) and id != name:
        raise BadConfiguration(
            f"{who} has the format {id!r}.", hint=f'Write there: format = "{name}"'
        )
    if id not in _entries():
        raise BadConfiguration(
            f"{who} has the format {id!r}, and no entry point of that name says who loads it. "
            f"There are {listed(ids())}.",
            hint=f'Add to [project.entry-points."{GROUP}"]: "{id}" = "{entry.value}"',
        )
    return found


def _shown(entry: EntryPoint) -> str:
    """`module:Class` and whose it is."""
    return f"{entry.value} of the package {entry.dist.name if entry.dist else '?'!r}"
