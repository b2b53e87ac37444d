"""The survey of a project: each thing that code leads to is looked at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from penstock.artifacts.formats import registry
from penstock.artifacts.materializer import Composite, NotThisFormat
from penstock.artifacts.objects import OnlyHashed
from penstock.digest import digest, of_buffers
from penstock.errors import UnsupportedValue
from penstock.model.file import File
from penstock.runtime.fingerprints import agreement, classes, files, modules, outline
from penstock.runtime.fingerprints.libraries import is_project, package_of
from penstock.runtime.fingerprints.links import (
    Place,
    by_source,
    is_addressable,
    leads,
    link,
    lookups,
    whole,
)
from penstock.runtime.fingerprints.note import shown
from penstock.runtime.fingerprints.unit import Key, Node, Thing, Unit
from penstock.runtime.fingerprints.values import Token, Unknowable, Walk, never


class Survey:
    """What is known of the project's code and values; what was looked at is not looked at again."""

    def __init__(self, *, loaded: bool = True) -> None:
        """Unless `loaded`, files count as they are, whatever was made of them in this process."""
        self._loaded = loaded
        self._nodes: dict[Key, Node] = {}
        self._named: dict[int, tuple[FunctionType, Thing | None]] = {}

    def reached(self, roots: Iterable[Thing]) -> dict[Key, Node]:
        """All that is reached from some things, these included."""
        found: dict[Key, Node] = {}
        waiting = list(roots)
        while waiting:
            thing = waiting.pop()
            key = thing.key
            if key in found:
                continue
            node = self._nodes.get(key)
            if node is None:
                node = self._nodes[key] = self._node(thing)
            found[key] = node
            waiting += node.leads
        return found

    def thing(self, value: Any) -> Thing:
        """What a function or class is called. One that nobody else can find is known by itself."""
        name = _name(value)
        kind = "class" if isinstance(value, type) else "function"
        return Thing(kind, name if is_addressable(value) else f"{name} at {id(value)}", value)

    def _node(self, thing: Thing) -> Node:
        home = thing.name.partition(":")[0] if thing.kind in ("function", "class") else thing.name
        if thing.kind == "data":
            home = thing.name.rpartition(".")[0]
        walk = Walk(self, home)
        unit = _BUILDERS[thing.kind](self, thing, walk)
        return Node(unit, tuple(walk.leads.values()), frozenset(walk.packages))

    # What a walk asks for.

    def named(self, function: FunctionType) -> Thing | None:
        """Where a function of the project leads, if its name leads to it."""
        known = self._named.get(id(function))
        if known is None or known[0] is not function:
            own = is_project(str(function.__globals__.get("__name__", "")))
            found = is_addressable(function) if own else False
            thing = Thing("function", _name(function), function) if found else None
            known = self._named[id(function)] = (function, thing)
        return known[1]

    def function(self, function: FunctionType, walk: Walk) -> Token:
        """A function in a value: where it leads if it has a name, else all that it is."""
        if (thing := self.named(function)) is not None:
            return leads(thing, walk)
        if not is_project(str(function.__globals__.get("__name__", ""))):
            if is_addressable(function):
                return _of_library(function, walk)
            return digest("library function/1", _of_library(function, walk),
                          self._held(function, walk))  # fmt: skip
        line = function.__code__.co_firstlineno
        leads(Thing("code", f"{_name(function)}:{line}", function), walk)
        return self.code(function, walk)

    def kind(self, kind: type, walk: Walk) -> Token:
        """A class in a value, in the same way; and how its instances are stored and loaded."""
        format = registry.registered(kind)
        if format is not None and is_project(format.__module__):
            return f"{self._kind(kind, walk)} by {self._kind(format, walk)}"
        return self._kind(kind, walk)

    def _kind(self, kind: type, walk: Walk) -> Token:
        if not is_project(kind.__module__):
            return _of_library(kind, walk)
        if is_addressable(kind):
            return leads(Thing("class", _name(kind), kind), walk)
        return classes.token(kind, self, walk)

    def module(self, module: ModuleType, walk: Walk) -> Token:
        """A module in a value: whoever has it can read anything in it."""
        if not is_project(module.__name__):
            if package := package_of(module.__name__):
                walk.packages.add(package)
            return f"library {module.__name__}"
        return whole(module, f"{module.__name__} as a value", walk)

    def file(self, file: File, walk: Walk) -> Token:
        """What a file leads to now."""
        for format in registry.candidates(file):
            try:
                if isinstance(format, Composite):
                    buffers = format.dump(file, OnlyHashed())
                else:
                    buffers = format.dump(file)
                return digest("stored/1", format.format, of_buffers(buffers))
            except (NotThisFormat, UnsupportedValue):
                continue
        raise Unknowable(f"the file {file}")

    def code(self, function: FunctionType, walk: Walk) -> Token:
        """What a function does: its text, what that names, and what it holds."""
        found = outline.of_function(function)
        place = Place(function.__code__.co_qualname, os.path.basename(found.file))
        named = lookups(found.names, function.__globals__, place, walk)
        return digest("function/2", found.digest, named, self._held(function, walk))

    def _held(self, function: FunctionType, walk: Walk) -> Token:
        """Defaults, closure and attributes."""
        parts = []
        if function.__defaults__:
            parts.append(walk.all("defaults", function.__defaults__))
        if function.__kwdefaults__:
            parts.append(walk.state(function.__kwdefaults__))
        if function.__closure__:
            parts.append(walk.all("closure", _closed(function)))
        if attributes := vars(function):
            parts.append(walk.state(attributes))
        return " ".join(parts)

    # How each kind of thing is looked at.

    def _function(self, thing: Thing, walk: Walk) -> Unit:
        function = thing.target
        found = outline.of_function(function)
        try:
            text = self.code(function, walk)
        except Unknowable as error:
            # What a closure holds, its module does not say: such a function is never the same.
            text = never() if function.__closure__ else self._fallback(function, error, walk)
        return Unit(_name(function), text, "function", found.file, found.first, found.last)

    def _fallback(self, function: FunctionType, error: Unknowable, walk: Walk) -> Token:
        name = modules.home(str(function.__globals__.get("__name__", "")))
        note = f"{error} that {function.__qualname__} holds cannot be looked into"
        return digest("function by source/1", outline.of_function(function).digest,
                      by_source(name, note, walk))  # fmt: skip

    def _code(self, thing: Thing, walk: Walk) -> Unit:
        """The text of a function that counts where it is held, for whoever wants to read it."""
        found = outline.of_function(thing.target)
        return Unit(
            _name(thing.target), found.digest, "function", found.file, found.first, found.last
        )

    def _class(self, thing: Thing, walk: Walk) -> Unit:
        kind = thing.target
        text = classes.token(kind, self, walk)
        found = classes.outlined(kind)
        if (format := registry.registered(kind)) is not None:
            text = digest("stored class/1", text, walk.token(format))
        return Unit(_name(kind), text, "class", found.file, found.first, found.last)

    def _data(self, thing: Thing, walk: Walk) -> Unit:
        space, name = thing.target
        value = space[name]
        try:
            return Unit(thing.name, walk.token(value), "data", note=shown(value))
        except Unknowable as error:
            module = modules.home(str(space.get("__name__", "")))
            by_source(module, f"{error} in {thing.name} cannot be looked into", walk)
            return Unit(thing.name, digest("unknowable/1", str(error)), "data", note=str(error))

    def _module(self, thing: Thing, walk: Walk) -> Unit:
        """A module as it is loaded: its text, and whatever its names lead to."""
        module: ModuleType = thing.target
        path = modules.attribute(module, "__file__") or ""
        parts = [files.digest_of(path)]
        space = vars(module)
        for name in sorted(space):
            own = not (name.startswith("__") and name.endswith("__"))
            if own or isinstance(space[name], FunctionType):  # `__getattr__`
                parts.append(f"{name}={self._member(space, name, thing, walk)}")
        return Unit(thing.name, digest("module/1", *parts), "module", path, 1,
                    files.length(path), thing.note)  # fmt: skip

    def _member(self, space: Any, name: str, thing: Thing, walk: Walk) -> Token:
        try:
            return link(space[name], space, name, Place(thing.name, ""), walk)
        except Unknowable as error:
            return str(error)

    def _source(self, thing: Thing, walk: Walk) -> Unit:
        """A module as its file says it, and what that imports."""
        return files.unit(thing, walk, loaded=self._loaded)

    def _beside(self, thing: Thing, walk: Walk) -> Unit:
        """All files of the project around a module."""
        paths = modules.all_beside(thing.target)
        root = Path(paths[0]).parent if paths else Path()
        parts = [f"{os.path.relpath(path, root)}={files.digest_of(path)}" for path in paths]
        loaded = {modules.attribute(item, "__file__"): item for item in [*sys.modules.values()]}
        for path in paths:
            known = loaded.get(path)
            if known is not None and agreement.is_outdated(known, path):
                parts.append(whole(known, thing.note, walk))
        return Unit(thing.name, digest("beside/1", *parts), "module", note=thing.note)


def _closed(function: FunctionType) -> tuple[Any, ...]:
    return function.__closure__ or ()


def _name(value: Any) -> str:
    """`module:qualname` of a function or class, by where it is written."""
    if isinstance(value, type):
        return f"{modules.home(value.__module__)}:{value.__qualname__}"
    module = modules.home(str(value.__globals__.get("__name__", "")))
    return f"{module}:{value.__code__.co_qualname}"


def _of_library(value: FunctionType | type, walk: Walk) -> Token:
    module = value.__module__ or ""
    if package := package_of(module):
        walk.packages.add(package)
    return f"library {module}:{value.__qualname__}"


_BUILDERS: Any = {
    "function": Survey._function,
    "code": Survey._code,
    "class": Survey._class,
    "data": Survey._data,
    "module": Survey._module,
    "source": Survey._source,
    "beside": Survey._beside,
}
