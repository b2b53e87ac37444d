"""Wholes: what code leads to, and where it can only be followed as a whole module or project."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

from penstock.runtime.fingerprints import modules
from penstock.runtime.fingerprints.addresses import is_module
from penstock.runtime.fingerprints.libraries import is_project, package_of
from penstock.runtime.fingerprints.names import Import
from penstock.runtime.fingerprints.unit import Thing
from penstock.runtime.fingerprints.values import Token, Walk


class Place(NamedTuple):
    """Where a name is read, for notes."""

    who: str
    file: str
    line: int = 0
    computed: bool = False
    """Whether `getattr` is asked for an attribute of it."""

    def __str__(self) -> str:
        return f"{self.who} ({self.file}:{self.line})"


def leads(thing: Thing, walk: Walk) -> Token:
    """Note where a value leads, and what stands for that."""
    if thing.kind in ("module", "source", "beside"):
        walk.lasting = False
    walk.leads.setdefault(thing.key, thing)
    kind, name = thing.key
    if name.startswith(walk.home) and name[len(walk.home) : len(walk.home) + 1] in (":", "."):
        name = name[len(walk.home) :]
    return f"{kind} {name}"


def whole(module: ModuleType, note: str, walk: Walk) -> Token:
    """All of a module as it is loaded."""
    return leads(Thing("module", modules.home(module.__name__), module, note), walk)


def own_module(around: Mapping[str, Any], note: str, walk: Walk) -> Token:
    """All of the module in which code is; of code without one, all of what is around it."""
    name = str(around.get("__name__", ""))
    if is_module(name, around):
        return whole(sys.modules[name], note, walk)
    module = ModuleType(name)
    vars(module).update(around)
    return whole(module, note, walk)


def by_source(name: str, note: str, walk: Walk) -> Token:
    """All of a module of the project as its file says it, and of the packages that it is in.

    But for those that the code itself is in: they have been imported for it.
    """
    own = {*modules.with_above(walk.home)} - {walk.home, name}
    around = [item for item in modules.with_above(name) if item not in own]
    return " ".join(leads(Thing("source", item, None, note), walk) for item in around)


def imported(item: Import, package: str, at: Place, walk: Walk) -> list[Token]:
    """What an import leads to: modules of the project by their source."""
    name = modules.absolute(item.module, item.level, package)
    parts = [f"{name} {item.names}"]
    for found in dict.fromkeys([name, *(f"{name}.{each}" for each in item.names)]):
        if not found or not is_project(found):
            if package_name := package_of(found):
                walk.packages.add(package_name)
        elif found == name or modules.file_of(name) is None or modules.is_package(name):
            if modules.exists(found):
                parts.append(by_source(found, f"import {found} in {at}", walk))
            elif found == name:
                parts.append(f"no {found}")
    if item.names == ("*",) and is_project(name) and modules.is_package(name):
        parts.append(everything(name, f"import * of {name} in {at}", walk))
    return parts


def everything(module: str, note: str, walk: Walk) -> Token:
    """Every file of the project that could be meant in a module."""
    name = modules.home(module)
    return leads(Thing("beside", name.partition(".")[0], name, note), walk)


def why(what: str, at: Place) -> str:
    return f"getattr({what}, …) in {at}" if at.computed else f"{what} as a value in {at}"
