"""Links: what the names that code reads lead to at this moment."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

from penstock.digest import digest
from penstock.model.step import Step
from penstock.runtime.fingerprints import modules
from penstock.runtime.fingerprints.addresses import (
    belongs,
    imports_anything,
    is_addressable,
    is_module,
    is_own_kind,
    reads_globals,
)
from penstock.runtime.fingerprints.lasting import MISSING
from penstock.runtime.fingerprints.libraries import is_project, package_of
from penstock.runtime.fingerprints.names import Chain, Names, in_text
from penstock.runtime.fingerprints.unit import DOCSTRINGS, Thing
from penstock.runtime.fingerprints.values import Token, Walk
from penstock.runtime.fingerprints.wholes import (
    Place,
    by_source,
    everything,
    imported,
    leads,
    own_module,
    whole,
    why,
)

_WHOLE: Final = frozenset({"eval", "exec", "globals"})
"""What of Python's own reads any name of the module in which it is called."""


def lookups(names: Names, around: Mapping[str, Any], place: Place, walk: Walk) -> Token:
    """What stands for all that code reads among the names `around` it."""
    parts = []
    who, file, *_ = place
    walk.reads = max(walk.reads, names.reads)
    for chain, (line, computed) in names.chains.items():
        found = _chain(chain, around, Place(who, file, line, computed), walk)
        parts.append(f"{'.'.join(chain)}={found}")
    if names.loose or names.imports or names.subclasses:
        walk.lasting = False
    parts += _texts(names, around, place, walk)
    if names.frames:
        parts += _frames(names, around, Place(who, file, names.frames), walk)
    if names.loose:
        parts += _loose(names, around, place, walk)
    for item, line in names.imports.items():
        parts += imported(item, package_around(around), Place(who, file, line), walk)
    if names.subclasses:
        at = Place(who, file, names.subclasses)
        parts.append(everything(str(around["__name__"]), f"__subclasses__() in {at}", walk))
    return digest("links/1", *parts)


def _texts(names: Names, around: Mapping[str, Any], place: Place, walk: Walk) -> list[Token]:
    """What is named behind an @ in the text that code holds or reads."""
    asked = dict(names.texts)
    for chain, (line, _) in names.chains.items():
        value = _found(chain, around)
        if type(value) is str and "@" in value:
            asked |= dict.fromkeys(in_text([value]), line)
    parts = []
    for chain, line in sorted(asked.items()):
        value = around.get(chain[0], MISSING)
        walk.seen.append((around, chain[0], value))
        if value is not MISSING:  # else it is no name, but an address or a part of a text
            found = _chain(chain, around, Place(place.who, place.file, line), walk)
            parts.append(f"@{'.'.join(chain)}={found}")
    return parts


def _frames(names: Names, around: Mapping[str, Any], at: Place, walk: Walk) -> list[Token]:
    """What code can reach by the globals of functions and frames: whole modules."""
    note = f"the globals of a function or frame in {at}"
    parts = [own_module(around, note, walk)]
    for chain in names.chains:
        value = _found(chain, around)
        kind = value if isinstance(value, FunctionType | type) else type(value)
        module = modules.loaded(str(kind.__module__))
        if module is not None and is_project(module.__name__):
            parts.append(whole(module, note, walk))
    return parts


def _found(chain: Chain, around: Mapping[str, Any]) -> Any:
    """What a chain leads to, as far as modules go."""
    value = around.get(chain[0])
    for name in chain[1:]:
        if not isinstance(value, ModuleType):
            break
        value = vars(value).get(name)
    return value


def package_around(around: Mapping[str, Any]) -> str:
    """The package that relative imports count from."""
    if package := around.get("__package__"):
        return str(package)
    name = str(around.get("__name__", ""))
    return name if "__path__" in around else name.rpartition(".")[0]


def _chain(chain: Chain, around: Mapping[str, Any], at: Place, walk: Walk) -> Token:
    root = chain[0]
    value = around.get(root, MISSING)
    walk.seen.append((around, root, value))
    if root.startswith("__") and root.endswith("__") and value is not MISSING:
        walk.lasting = False
        return _of_pythons_own(root, around, walk)
    if "__doc__" in chain:
        walk.lasting = False
        walk.reads = max(walk.reads, DOCSTRINGS if value is MISSING else 0)
    if type(value) is FunctionType and (thing := walk.thing(value)) is not None:
        found = leads(thing, walk)
        return f"{found} {value.__doc__}" if "__doc__" in chain else found
    if value is MISSING:
        value = vars(builtins).get(root, MISSING)
        walk.seen.append((vars(builtins), root, value))
        if value is MISSING:
            return "missing"
        return _builtin(root, value, around, at, walk)
    space, name = around, root
    library = ""
    for attribute in chain[1:]:
        if not isinstance(value, ModuleType) or is_own_kind(value):
            break
        if not library and not is_project(value.__name__):
            library = value.__name__
        library = library and f"{library}.{attribute}"
        space, name = vars(value), attribute
        inner = space.get(attribute, MISSING)
        walk.seen.append((space, attribute, inner))
        if inner is MISSING:
            return _not_there(value, attribute, library, at, walk)
        value = inner
    else:
        if isinstance(value, ModuleType) and is_project(value.__name__):
            return whole(value, why(".".join(chain), at), walk)
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
    if name in modules.PYTHONS_OWN:
        return ""
    return link(around[name], around, name, Place("", ""), walk)


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
    if imports_anything(value):
        return everything(walk.home, f"{name} in {at}", walk)
    if reads_globals(value):
        return _evaluated(name, at, walk)
    if belongs(value):
        return f"{name} is {link(value, space, attribute, at, walk)}"
    if isinstance(value, type):
        return f"library {name}{walk.definitions.patches(value, walk)}"
    return f"library {name}"


def _evaluated(name: str, at: Place, walk: Walk) -> Token:
    """A library's function that reads any name of the module in which the code is."""
    module = modules.loaded(walk.home)
    return f"library {name} {whole(module, f'{name} in {at}', walk) if module else ''}"


def _not_there(module: ModuleType, attribute: str, library: str, at: Place, walk: Walk) -> Token:
    if library:
        return _of_library(None, library, {}, attribute, at, walk)
    if attribute == "__dict__":
        return whole(module, why(f"{module.__name__}.__dict__", at), walk)
    name = f"{modules.home(module.__name__)}.{attribute}"
    if "__path__" in vars(module) and modules.exists(name):
        return by_source(name, f"{name} in {at}", walk)
    if "__getattr__" in vars(module):
        return whole(module, why(f"{module.__name__}.{attribute}", at), walk)
    return "missing"


def link(value: Any, space: Mapping[str, Any], name: str, at: Place, walk: Walk) -> Token:
    """What stands for what one name among others leads to."""
    while type(value) is Step:
        value = value.function
    if type(value) is FunctionType and (thing := walk.thing(value)) is not None:
        return leads(thing, walk)
    if isinstance(value, FunctionType | type):
        if imports_anything(value):
            return everything(str(space.get("__name__") or walk.home), f"{name} in {at}", walk)
        if reads_globals(value):
            return _evaluated(name, at, walk)
        if is_addressable(value) or isinstance(value, type):
            return walk.token(value)
    if isinstance(value, ModuleType):
        return walk.token(value)
    if isinstance(value, BuiltinFunctionType) and type(value.__self__) in (ModuleType, type(None)):
        return walk.token(value)
    if value is sys.modules:
        return everything(str(space.get("__name__") or walk.home), f"sys.modules in {at}", walk)
    owner = str(space.get("__name__", ""))
    if is_module(owner, space):
        return leads(Thing("data", f"{modules.home(owner)}.{name}", (space, name)), walk)
    return walk.token(value)


def _loose(names: Names, around: Mapping[str, Any], place: Place, walk: Walk) -> list[Token]:
    """What code without a source may read: each of its names, of each module that it reaches."""
    parts = []
    waiting: list[tuple[str, Mapping[str, Any]]] = [("", around)]
    seen = {id(around)}
    while waiting:
        path, space = waiting.pop()
        for name, line in names.loose.items():
            value = space.get(name, MISSING)
            if value is MISSING and space is not around:
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
        if belongs(value := vars(library).get(name)) or imports_anything(value)
    ]
