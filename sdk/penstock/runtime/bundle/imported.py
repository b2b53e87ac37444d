"""Imported: code that is there because the modules of steps import it, whatever they use of it.

A step that takes a constant from a module does not reach the module's file: the constant is data.
A pod imports the step's module all the same, and with it all that this one imports.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import sysconfig
import warnings
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from typing import Final

from penstock.model.names import module_name
from penstock.runtime.bundle import own
from penstock.runtime.fingerprints import modules

_BY_NAME: Final = frozenset({"import_module", "__import__"})
_CALLS: Final = re.compile("|".join(_BY_NAME).encode())
_PARTS: Final = ("body", "orelse", "finalbody", "handlers", "cases")
"""Where a statement has others in it."""

Loaded = Mapping[str, str]
"""The files of modules by their names."""


def loaded(without: Container[str]) -> dict[str, str]:
    """What this process has loaded of the user's own code: no library that is installed, and no
    package with one of these names. What runs is known by what it would be imported as."""
    libraries = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib"))
    found: dict[str, str] = {}
    for name, module in [*sys.modules.items()]:
        file = modules.attribute(module, "__file__")
        if not isinstance(file, str) or file.startswith(libraries) or own.is_installed(file):
            continue
        if name.partition(".")[0] not in without and os.path.isfile(file):
            found.setdefault(module_name(name), os.path.abspath(file))
    return found


def by(reached: Collection[str], known: Loaded, missing: Collection[str]) -> list[str]:
    """The files among the `missing` that come with an import of those that are `reached`. Nothing
    is read if nothing is missing but what runs, which nobody has imported."""
    running = known.get(module_name("__main__"))
    if not {*missing} - {running}:
        return []
    found = _closure([name for name, file in known.items() if file in reached], known)
    return sorted({known[name] for name in found if known[name] in missing})


def _closure(names: Iterable[str], known: Loaded) -> set[str]:
    """These modules, and all of ours that an import of them brings."""
    inside = _inside(known)
    found: set[str] = set()
    waiting = [above for name in names for above in modules.with_above(name)]
    while waiting:
        name = waiting.pop()
        if name in found or not (name in known or name in inside):
            continue
        found.add(name)
        # A package may load its modules in ways that no text shows: plugins, a loader of its own.
        waiting += inside.get(name, ())
        for each in _imports(name, known[name]) if name in known else ():
            waiting += modules.with_above(each)
    return found & known.keys()


def _inside(known: Loaded) -> dict[str, list[str]]:
    """The modules in each package. What runs is in none: nobody imports it for being there."""
    running = module_name("__main__")
    found: dict[str, list[str]] = {}
    for name in known:
        above = name.rpartition(".")[0]
        if above and name != running:
            found.setdefault(above, []).append(name)
    return found


def _imports(name: str, file: str) -> Iterator[str]:
    """What the text of a module names as modules, and what may be one."""
    package = name if os.path.basename(file).startswith("__init__.") else name.rpartition(".")[0]
    for node in _nodes(file):
        match node:
            case ast.Import(names=aliases):
                yield from (alias.name for alias in aliases)
            case ast.ImportFrom(module=module, names=aliases, level=level):
                above = modules.absolute(module or "", level, package)
                yield above
                yield from (f"{above}.{alias.name}" for alias in aliases)
            case ast.Call(
                func=ast.Name(id=called) | ast.Attribute(attr=called),
                args=[ast.Constant(value=str(text)), *_],
            ) if called in _BY_NAME:
                bare = text.lstrip(".")
                yield modules.absolute(bare, len(text) - len(bare), package)


def _nodes(file: str) -> Iterator[ast.AST]:
    """Where imports may be in a module's text. Nothing of one that is no text, or has become
    something else meanwhile."""
    if not file.endswith(".py"):
        return
    try:
        with open(file, "rb") as source, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they were told when it was imported
            text = source.read()
            tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return
    # Most of a text are expressions, and few of them import anything.
    yield from ast.walk(tree) if _CALLS.search(text) else _statements(tree)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for part in _PARTS:
            waiting += getattr(node, part, ())
