"""Links: what the names that code reads lead to at this moment."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from penstock.digest import digest
from penstock.model.step import Step
from penstock.runtime.fingerprints import modules
from penstock.runtime.fingerprints.libraries import is_project, package_of
from penstock.runtime.fingerprints.names import Chain, Import, Names
from penstock.runtime.fingerprints.unit import Thing
from penstock.runtime.fingerprints.values import Token, Walk

_MISSING: Final = object()

_WHOLE: Final = frozenset({"eval", "exec", "globals"})
"""What of Python's own reads any name of the module in which it is called."""

_IMPORTERS: Final = ("importlib", "importlib.util", "importlib._bootstrap", "runpy", "pkgutil")
"""Modules whose functions import what they are told to."""


class Place(NamedTuple):
    """Where a name is read, for notes."""

    who: str
    file: str
    line: int = 0
    computed: bool = False
    """Whether `getattr` is asked for an attribute of it."""

    def __str__(self) -> str:
        return f"{self.who} ({self.file}:{self.line})"


def lookups(names: Names, around: Mapping[str, Any], place: Place, walk: Walk) -> Token:
    """What stands for all that code reads among the names `around` it."""
    parts = []
    who, file, *_ = place
    for chain, (line, computed) in names.chains.items():
        found = _chain(chain, around, Place(who, file, line, computed), walk)
        parts.append(f"{'.'.join(chain)}={found}")
    if names.loose:
        parts += _loose(names, around, place, walk)
    for item, line in names.imports.items():
        parts += imported(item, package_around(around), Place(who, file, line), walk)
    if names.subclasses:
        at = Place(who, file, names.subclasses)
        parts.append(everything(str(around["__name__"]), f"__subclasses__() in {at}", walk))
    return digest("links/1", *parts)


def package_around(around: Mapping[str, Any]) -> str:
    """The package that relative imports count from."""
    if package := around.get("__package__"):
        return str(package)
    name = str(around.get("__name__", ""))
    return name if "__path__" in around else name.rpartition(".")[0]


def _chain(chain: Chain, around: Mapping[str, Any], at: Place, walk: Walk) -> Token:
    root = chain[0]
    if root.startswith("__") and root.endswith("__") and root in around:
        return _of_pythons_own(root, around, walk)
    value = around.get(root, _MISSING)
    if type(value) is FunctionType and (thing := walk.thing(value)) is not None:
        found = leads(thing, walk)
        return f"{found} {value.__doc__}" if "__doc__" in chain else found
    if value is _MISSING:
        value = vars(builtins).get(root, _MISSING)
        if value is _MISSING:
            return "missing"
        return _builtin(root, value, around, at, walk)
    space, name = around, root
    library = ""
    for attribute in chain[1:]:
        if not isinstance(value, ModuleType):
            break
        if not library and not is_project(value.__name__):
            library = value.__name__
        library = library and f"{library}.{attribute}"
        space, name = vars(value), attribute
        inner = space.get(attribute, _MISSING)
        if inner is _MISSING:
            return _not_there(value, attribute, library, at, walk)
        value = inner
    else:
        if isinstance(value, ModuleType) and is_project(value.__name__):
            return whole(value, _why(".".join(chain), at), walk)
    if library:
        return _of_library(value, library, space, name, at, walk)
    found = link(value, space, name, at, walk)
    if "__doc__" in chain:  # which counts nowhere else
        found = f"{found} {walk.token(getattr(value, '__doc__', None))}"
    return found


def _of_pythons_own(name: str, around: Mapping[str, Any], walk: Walk) -> Token:
    """The names that every module has. Where a file lies counts: data is found beside it."""
    if name == "__name__":
        return modules.home(str(around[name]))
    if name in ("__file__", "__doc__", "__package__"):
        return walk.token(around[name])
    value = around[name]
    own = isinstance(value, FunctionType | type)
    return link(value, around, name, Place("", ""), walk) if own else ""


def _builtin(name: str, value: Any, around: Mapping[str, Any], at: Place, walk: Walk) -> Token:
    if value is builtins.__import__:
        return everything(str(around["__name__"]), f"__import__ in {at}", walk)
    if name in _WHOLE and isinstance(value, BuiltinFunctionType):
        note = f"{name} in {at}"
        own = own_module(around, note, walk)
        # Text can import whatever it likes.
        text = "" if name == "globals" else everything(str(around.get("__name__")), note, walk)
        return f"{own} {text}"
    if isinstance(value, FunctionType) and is_project(str(value.__globals__.get("__name__"))):
        return walk.token(value)  # somebody has put another function there
    return "builtin"


def _of_library(
    value: Any,
    name: str,
    space: Mapping[str, Any],
    attribute: str,
    at: Place,
    walk: Walk,
) -> Token:
    """What a module of a library has under a name: the library's version, unless it was replaced.

    It is known by the name that the code reads, whatever is loaded by now.
    """
    if package := package_of(name):
        walk.packages.add(package)
    if _imports_anything(value):
        return everything(walk.home, f"{name} in {at}", walk)
    if _is_own(value):
        return f"{name} is {link(value, space, attribute, at, walk)}"
    return f"library {name}"


def _imports_anything(value: Any) -> bool:
    if value is sys.modules or value is builtins.__import__:
        return True
    return isinstance(value, FunctionType) and value.__module__ in _IMPORTERS


def _is_own(value: Any) -> bool:
    """Whether something is the project's, wherever it was put."""
    if isinstance(value, Step):
        return True
    if isinstance(value, ModuleType):
        return is_project(value.__name__)
    module = getattr(value if isinstance(value, FunctionType | type) else type(value),
                     "__module__", None)  # fmt: skip
    return isinstance(module, str) and is_project(module)


def _not_there(module: ModuleType, attribute: str, library: str, at: Place, walk: Walk) -> Token:
    if library:
        return _of_library(None, library, {}, attribute, at, walk)
    if attribute == "__dict__":
        return whole(module, _why(f"{module.__name__}.__dict__", at), walk)
    name = f"{modules.home(module.__name__)}.{attribute}"
    if "__path__" in vars(module) and modules.exists(name):
        return by_source(name, f"{name} in {at}", walk)
    if "__getattr__" in vars(module):
        return whole(module, _why(f"{module.__name__}.{attribute}", at), walk)
    return "missing"


def link(value: Any, space: Mapping[str, Any], name: str, at: Place, walk: Walk) -> Token:
    """What stands for what one name among others leads to."""
    while type(value) is Step:
        value = value.function
    if type(value) is FunctionType and (thing := walk.thing(value)) is not None:
        return leads(thing, walk)
    if isinstance(value, FunctionType | type):
        if _imports_anything(value):
            return everything(str(space.get("__name__") or walk.home), f"{name} in {at}", walk)
        if is_addressable(value) or isinstance(value, type):
            return walk.token(value)
    if isinstance(value, ModuleType):
        return walk.token(value)
    if isinstance(value, BuiltinFunctionType) and type(value.__self__) in (ModuleType, type(None)):
        return walk.token(value)
    if value is sys.modules:
        return everything(str(space.get("__name__") or walk.home), f"sys.modules in {at}", walk)
    owner = str(space.get("__name__", ""))
    if _is_module(owner, space):
        return leads(Thing("data", f"{modules.home(owner)}.{name}", (space, name)), walk)
    return walk.token(value)


def leads(thing: Thing, walk: Walk) -> Token:
    """Note where a value leads, and what stands for that."""
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
    if _is_module(name, around):
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


def _loose(names: Names, around: Mapping[str, Any], place: Place, walk: Walk) -> list[Token]:
    """What code without a source may read: each of its names, of each module that it reaches."""
    parts = []
    waiting: list[tuple[str, Mapping[str, Any]]] = [("", around)]
    seen = {id(around)}
    while waiting:
        path, space = waiting.pop()
        for name, line in names.loose.items():
            value = space.get(name, _MISSING)
            if value is _MISSING and space is not around:
                continue
            computed = "getattr" in names.loose or "vars" in names.loose
            at = Place(place.who, place.file, line, computed)
            if isinstance(value, ModuleType) and is_project(value.__name__) and not computed:
                if id(vars(value)) not in seen:
                    seen.add(id(vars(value)))
                    waiting.append((f"{path}{name}.", vars(value)))
                continue
            found = _chain((name,), space, at, walk)
            parts.append(f"{path}{name}={found}")
            if isinstance(value, ModuleType) and id(vars(value)) not in seen:
                parts += _replaced(names, value, at, walk)
    return sorted(parts)


def _replaced(names: Names, library: ModuleType, at: Place, walk: Walk) -> list[Token]:
    """What of the names is of the project, though it lies in a library."""
    return [
        _of_library(value, f"{library.__name__}.{name}", vars(library), name, at, walk)
        for name in names.loose
        if _is_own(value := vars(library).get(name)) or _imports_anything(value)
    ]


def is_addressable(value: Any) -> bool:
    """Whether the module and name of a function or class lead to it, in any process."""
    if isinstance(value, FunctionType):
        around = value.__globals__
        name, qualname = str(around.get("__name__", "")), value.__code__.co_qualname
        if not is_project(name):  # those of a library go by what they say of themselves
            name, qualname = value.__module__ or "", value.__qualname__
            if not name or is_project(name):
                return False
        elif not _is_module(name, around):
            return False
    else:
        name, qualname = value.__module__, value.__qualname__
    found: Any = sys.modules.get(name)
    for part in qualname.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    return _leads_to(found, value)


def _leads_to(found: Any, value: Any) -> bool:
    for _ in range(20):  # wrappers around wrappers
        if found is value:
            return True
        if type(found) is Step:
            found = found.function
        elif isinstance(found, staticmethod | classmethod):
            found = found.__func__
        elif hasattr(found, "__dict__") and "__wrapped__" in vars(found):
            found = vars(found)["__wrapped__"]
        else:
            return False
    return False


def _is_module(name: str, space: Mapping[str, Any]) -> bool:
    module = sys.modules.get(name)
    return module is not None and vars(module) is space


def _why(what: str, at: Place) -> str:
    return f"getattr({what}, …) in {at}" if at.computed else f"{what} as a value in {at}"
