"""The survey of a project: each thing that code leads to is looked at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from penstock.artifacts.formats import registry
from penstock.artifacts.materializer import Composite, NotThisFormat
from penstock.artifacts.objects import OnlyHashed
from penstock.digest import digest, of_buffers
from penstock.errors import UnsupportedValue
from penstock.model.file import File
from penstock.runtime.fingerprints import (
    addresses,
    classes,
    files,
    insides,
    lasting,
    modules,
    outline,
    words,
)
from penstock.runtime.fingerprints.addresses import (
    is_addressable,
    is_own,
    is_own_kind,
    name_of,
)
from penstock.runtime.fingerprints.insides import HEAP
from penstock.runtime.fingerprints.libraries import is_project, module_of, package_of
from penstock.runtime.fingerprints.links import lookups
from penstock.runtime.fingerprints.note import shown
from penstock.runtime.fingerprints.places import Places
from penstock.runtime.fingerprints.unit import Key, Node, Thing, Unit
from penstock.runtime.fingerprints.values import Boundless, Token, Unknowable, Walk, never
from penstock.runtime.fingerprints.wholes import Place, by_source, leads, whole


class Survey:
    """What is known of the project's code and values; what was looked at is not looked at again."""

    def __init__(self, places: Places, *, loaded: bool = True) -> None:
        """Unless `loaded`, files count as they are, whatever was made of them in this process."""
        self._places = places
        self._loaded = loaded
        self._nodes: dict[Key, Node] = {}
        self._named: dict[int, tuple[FunctionType, Thing | None]] = {}
        self._patches: dict[int, tuple[type, list[tuple[str, FunctionType]]]] = {}

    def reached(self, roots: Iterable[Thing]) -> dict[Key, Node]:
        """All that is reached from some things, these included."""
        found: dict[Key, Node] = {}
        waiting = list(roots)
        while waiting:
            thing = waiting.pop()
            key = thing.key
            if key in found:
                continue
            found[key] = node = self._now(thing, key)
            waiting += node.leads
        return found

    def thing(self, value: Any) -> Thing:
        """What a function or class is called. One that nobody else can find is known by itself."""
        name = name_of(value)
        kind = "class" if isinstance(value, type) else "function"
        return Thing(kind, name if is_addressable(value) else f"{name} at {id(value)}", value)

    def holds(self, nodes: Mapping[Key, Node]) -> bool:
        """Whether these are the nodes of their things, of which they are all that is reached."""
        return all(self._now(node.thing, key).is_like(node) for key, node in nodes.items())

    def _now(self, thing: Thing, key: Key) -> Node:
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = lasting.find(thing, self._places) or self._node(thing)
        return node

    def _node(self, thing: Thing) -> Node:
        home = thing.name.partition(":")[0] if thing.kind in ("function", "class") else thing.name
        if thing.kind == "data":
            home = thing.name.rpartition(".")[0]
        walk = Walk(self, home, self._places)
        unit = _BUILDERS[thing.kind](self, thing, walk)
        node = Node(unit, tuple(walk.leads.values()), frozenset(walk.packages), thing, walk.reads)
        if walk.lasting:
            lasting.keep(node, walk.seen, self._places)
        return node

    # What a walk asks for.

    def named(self, function: FunctionType) -> Thing | None:
        """Where a function of the project leads, if its name leads to it."""
        known = self._named.get(id(function))
        if known is None or known[0] is not function:
            found = is_own(function) and is_addressable(function)
            thing = Thing("function", name_of(function), function) if found else None
            known = self._named[id(function)] = (function, thing)
        return known[1]

    def function(self, function: FunctionType, walk: Walk) -> Token:
        """A function in a value: where it leads if it has a name, else all that it is."""
        if (thing := self.named(function)) is not None:
            return leads(thing, walk)
        if not is_own(function):
            if is_addressable(function):
                return _of_library(function, walk)
            return digest("library function/1", _of_library(function, walk),
                          self._held(function, walk))  # fmt: skip
        line = function.__code__.co_firstlineno
        leads(Thing("code", f"{name_of(function)}:{line}", function), walk)
        return self.code(function, walk)

    def kind(self, kind: type, walk: Walk) -> Token:
        """A class in a value, in the same way; and how its instances are stored and loaded."""
        format = registry.registered(kind)
        walk.note(kind)
        if walk.lasting:
            walk.seen += [(registry.registrations(), base, format or lasting.MISSING)
                          for base in kind.__mro__]  # fmt: skip
            walk.lasting = format is None
        if format is not None and is_project(format.__module__):
            return f"{self._kind(kind, walk)} by {self._kind(format, walk)}"
        return self._kind(kind, walk)

    def _kind(self, kind: type, walk: Walk) -> Token:
        known = is_addressable(kind)
        if not is_project(module_of(kind)) and (known or not kind.__flags__ & HEAP):
            return f"{_of_library(kind, walk)}{self.patches(kind, walk)}"
        if known:
            return leads(Thing("class", name_of(kind), kind), walk)
        # Made by a function, perhaps of a library, and of what it was given.
        return classes.token(kind, self, walk)

    def patches(self, kind: type, walk: Walk) -> Token:
        """The functions of the project that were put into a class of a library; mostly none."""
        if not kind.__flags__ & HEAP:
            return ""
        walk.lasting = False
        known = self._patches.get(id(kind))
        if known is None:
            known = self._patches[id(kind)] = (kind, addresses.patches(kind))
        return f" {walk.pairs('patches', known[1])}" if known[1] else ""

    def module(self, module: ModuleType, walk: Walk) -> Token:
        """A module in a value: whoever has it can read anything in it."""
        if not is_project(module.__name__):
            if package := package_of(module.__name__):
                walk.packages.add(package)
            return f"library {module.__name__}"
        found = whole(module, f"{module.__name__} as a value", walk)
        return f"{found} {walk.token(type(module))}" if is_own_kind(module) else found

    def file(self, file: File, walk: Walk) -> Token:
        """What a file leads to now."""
        for format in registry.candidates(file):
            try:
                if isinstance(format, Composite):
                    buffers = format.dump(file, OnlyHashed())
                else:
                    buffers = format.dump(file)
                return digest("stored/1", format.format, of_buffers(buffers))
            except NotThisFormat:
                continue
            except UnsupportedValue:
                break
        return never()  # nobody can look at it

    def code(self, function: FunctionType, walk: Walk) -> Token:
        """What a function does: its text, what that names, and what it holds."""
        found = outline.of_function(function)
        place = Place(function.__code__.co_qualname, os.path.basename(found.file))
        named = lookups(found.names, function.__globals__, place, walk)
        return digest("function/2", found.digest, named, self._held(function, walk))

    def _held(self, function: FunctionType, walk: Walk) -> Token:
        """Defaults, closure and attributes."""
        walk.lasting = walk.lasting and lasting.is_plain(function)
        parts = [words.noted(function)] if function.__annotations__ else []
        if function.__defaults__:
            parts.append(walk.all("defaults", function.__defaults__))
        if function.__kwdefaults__:
            parts.append(walk.state(function.__kwdefaults__))
        if function.__closure__:
            parts.append(walk.all("closure", insides.closed(function)))
        if attributes := insides.own_attributes(function):
            parts.append(walk.state(attributes))
        return " ".join(parts)

    # How each kind of thing is looked at.

    def _function(self, thing: Thing, walk: Walk) -> Unit:
        function = thing.target
        found = outline.of_function(function)
        walk.lasting = not thing.name.endswith(f" at {id(function)}")
        try:
            text = self.code(function, walk)
        except Unknowable as error:
            # What a closure holds, its module does not say: such a function is never the same.
            boundless = function.__closure__ or isinstance(error, Boundless)
            text = never() if boundless else self._fallback(function, error, walk)
        return Unit(name_of(function), text, "function", found.file, found.first, found.last)

    def _fallback(self, function: FunctionType, error: Unknowable, walk: Walk) -> Token:
        name = modules.home(str(function.__globals__.get("__name__", "")))
        note = f"{error} that {function.__qualname__} holds cannot be looked into"
        return digest("function by source/1", outline.of_function(function).digest,
                      by_source(name, note, walk))  # fmt: skip

    def _code(self, thing: Thing, walk: Walk) -> Unit:
        """The text of a function that counts where it is held, for whoever wants to read it."""
        found = outline.of_function(thing.target)
        return Unit(
            name_of(thing.target), found.digest, "function", found.file, found.first, found.last
        )

    def _class(self, thing: Thing, walk: Walk) -> Unit:
        kind = thing.target
        text = classes.token(kind, self, walk)
        found = classes.outlined(kind)
        if (format := registry.registered(kind)) is not None:
            text = digest("stored class/1", text, walk.token(format))
        return Unit(name_of(kind), text, "class", found.file, found.first, found.last)

    def _data(self, thing: Thing, walk: Walk) -> Unit:
        space, name = thing.target
        value = space[name]
        walk.lasting = type(value) in lasting.SCALARS
        try:
            return Unit(thing.name, walk.token(value), "data", note=shown(value, self._places))
        except Unknowable as error:
            module = modules.home(str(space.get("__name__", "")))
            by_source(module, f"{error} in {thing.name} cannot be looked into", walk)
            return Unit(thing.name, digest("unknowable/1", error.token()), "data", note=str(error))

    def _module(self, thing: Thing, walk: Walk) -> Unit:
        """A module as it is loaded."""
        return files.loaded(thing, walk)

    def _source(self, thing: Thing, walk: Walk) -> Unit:
        """A module as its file says it, and what that imports."""
        return files.unit(thing, walk, loaded=self._loaded)

    def _beside(self, thing: Thing, walk: Walk) -> Unit:
        """All files of the project around a module."""
        return files.beside(thing, walk)


def _of_library(value: FunctionType | type, walk: Walk) -> Token:
    module = value.__module__ or ""
    if package := package_of(module):
        walk.packages.add(package)
    # What libraries make of the project's code says that it is of there: of `__main__`, too.
    return f"library {modules.home(module)}:{value.__qualname__}"


_BUILDERS: Any = {
    "function": Survey._function,
    "code": Survey._code,
    "class": Survey._class,
    "data": Survey._data,
    "module": Survey._module,
    "source": Survey._source,
    "beside": Survey._beside,
}
