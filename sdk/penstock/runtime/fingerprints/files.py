"""Files of code that count as a whole: their text, and what they import of the project."""

from __future__ import annotations

import linecache

from penstock.digest import digest, of_buffers
from penstock.runtime.fingerprints import agreement, modules, outline, source
from penstock.runtime.fingerprints.links import Place, everything, imported, whole
from penstock.runtime.fingerprints.unit import Thing, Unit
from penstock.runtime.fingerprints.values import Walk, never


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
        return Unit(name, digest("no source/1"), "module", note=thing.note)
    parts = [digest_of(path)]
    found = source.module(path) if path.endswith(".py") else None
    if found is not None:
        parts += _leads(found, name, path, walk)
    known = modules.loaded(name) if loaded else None
    if known is not None and (found is None or not agreement.holds(known, found)):
        parts.append(whole(known, thing.note, walk))
    last = len(found.lines) if found else 0
    return Unit(name, digest("source/1", *parts), "module", path, 1, last, thing.note)


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
