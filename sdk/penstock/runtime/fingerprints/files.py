"""Files of code that count as a whole: their text, and what they import of the project."""

from __future__ import annotations

import linecache
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from penstock.digest import digest, of_buffers
from penstock.runtime.fingerprints import agreement, awaited, modules, outline, source
from penstock.runtime.fingerprints.links import link
from penstock.runtime.fingerprints.unit import Thing, Unit
from penstock.runtime.fingerprints.values import Token, Unknowable, Walk, never
from penstock.runtime.fingerprints.wholes import Place, everything, imported, whole


def digest_of(path: str) -> str:
    """What stands for a file: its normal form, or its bytes if it is no Python."""
    if not path.endswith(".py"):
        return _bytes(path) if path and not path.startswith("<") else "no file"
    linecache.checkcache(path)
    found = source.module(path)
    return _bytes(path) if found is None else outline.of_file(found, path).digest


def length(path: str) -> int:
    """How many lines a file of Python has."""
    found = source.module(path) if path.endswith(".py") else None
    return len(found.lines) if found else 0


def unit(thing: Thing, walk: Walk, *, loaded: bool) -> Unit:
    """A module by its source. What it imports, it leads to.

    If it is loaded and is not what its file says, what is `loaded` counts, too.
    """
    name = thing.name
    path = modules.file_of(name)
    if path is None:
        return Unit(name, digest("no source/2", _made(name, walk)), "module", note=thing.note)
    parts = [digest_of(path)]
    found = source.module(path) if path.endswith(".py") else None
    if found is not None:
        parts += _leads(found, name, path, walk)
    known = modules.loaded(name) if loaded else None
    if known is None and loaded:
        awaited.note(path, parts[0])
    elif known is not None and not (
        found is not None
        and (agreement.holds(known, found) or awaited.has_come(known, path, parts[0]))
    ):
        parts.append(whole(known, thing.note, walk))
    last = len(found.lines) if found else 0
    return Unit(name, digest("source/1", *parts), "module", path, 1, last, thing.note)


def loaded(thing: Thing, walk: Walk) -> Unit:
    """A module as it is loaded: its text, and whatever its names lead to."""
    module: ModuleType = thing.target
    path = modules.attribute(module, "__file__") or ""
    parts = [digest_of(path)]
    space = vars(module)
    for name in sorted(space):
        if not modules.is_given(name, space):
            parts.append(f"{name}={_member(space, name, thing, walk)}")
    return Unit(thing.name, digest("module/1", *parts), "module", path, 1,
                length(path), thing.note)  # fmt: skip


def _member(space: Any, name: str, thing: Thing, walk: Walk) -> Token:
    try:
        return link(space[name], space, name, Place(thing.name, ""), walk)
    except Unknowable as error:
        return error.token()


def beside(thing: Thing, walk: Walk) -> Unit:
    """All files of the project around a module."""
    paths = modules.all_beside(thing.target)
    root = Path(paths[0]).parent if paths else Path()
    parts = [f"{os.path.relpath(path, root)}={digest_of(path)}" for path in paths]
    known_by = {modules.attribute(item, "__file__"): item for item in [*sys.modules.values()]}
    for path in paths:
        known = known_by.get(path)
        if known is not None and agreement.is_outdated(known, path):
            parts.append(whole(known, thing.note, walk))
    return Unit(thing.name, digest("beside/1", *parts), "module", note=thing.note)


def _made(name: str, walk: Walk) -> str:
    """What stands for a module without a file: one that the program has made, if it is one. What
    cells define is there only in the process that has run them."""
    if name == "__main__":
        return never()
    known = sys.modules.get(name)
    if known is None or (type(known) is ModuleType and "__path__" in vars(known)):
        return ""
    try:
        return walk.token(known)
    except Unknowable:
        return never()


def _leads(found: source.Module, name: str, path: str, walk: Walk) -> list[str]:
    """What a file imports, anywhere in it."""
    parts: list[str] = []
    package = name if modules.is_package(name) else name.rpartition(".")[0]
    names = outline.of_file(found, path).names
    file = path.rpartition("/")[2]
    for item, line in names.imports.items():
        parts += imported(item, package, Place(name, file, line), walk)
    for chain, (line, _) in names.chains.items():
        if chain[-1] in ("import_module", "__import__") or chain[:2] == ("sys", "modules"):
            note = f"{'.'.join(chain)} in {Place(name, file, line)}"
            parts.append(everything(name, note, walk))
    return parts


def _bytes(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return of_buffers([file.read()])
    except OSError:
        return never()
