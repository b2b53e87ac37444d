"""Values in code: what a global, a default or a closure holds, as a digest that is the same in
every process.

A value is walked as pickle would, without pickling it. Functions and classes in it are not part of
it but lead on: they are asked for. Dicts count in their order, sets in none.
"""

from __future__ import annotations

import copyreg
import os
import pickle
import sys
import weakref
from collections.abc import Iterable
from pathlib import PurePath
from types import (
    FunctionType,
    ModuleType,
)
from typing import Any, Final, Protocol

from penstock.digest import digest
from penstock.model import plain
from penstock.model.file import File
from penstock.runtime.fingerprints import insides, modules, ways
from penstock.runtime.fingerprints.lasting import SCALARS, Seen, where
from penstock.runtime.fingerprints.libraries import is_project
from penstock.runtime.fingerprints.places import Places
from penstock.runtime.fingerprints.unit import Key, Thing

Token = str
"""What stands for a value: text, short or a digest."""


LONG: Final = 200
"""Characters of plain data from which its digest stands for it."""


MOST: Final = 30_000
"""Things in one value that are looked at. Objects that lead to each other in circles are looked at
on each way that leads to them, which may be more than anybody can wait for."""


class Unknowable(Exception):
    """A value that nothing but its source tells anything about."""

    def token(self) -> Token:
        """What stands for the value, if nothing else does."""
        return str(self)


class Boundless(Unknowable):
    """A value in which there is too much to look at. What its source says is not enough, either."""

    def token(self) -> Token:
        return never()


class Definitions(Protocol):
    """What knows functions, classes and modules."""

    def named(self, function: FunctionType) -> Thing | None: ...

    def function(self, function: FunctionType, walk: Walk) -> Token: ...

    def kind(self, kind: type, walk: Walk) -> Token: ...

    def patches(self, kind: type, walk: Walk) -> Token: ...

    def module(self, module: ModuleType, walk: Walk) -> Token: ...

    def file(self, file: File, walk: Walk) -> Token: ...


class Walk:
    """One walk through one value and what is in it."""

    def __init__(self, definitions: Definitions, home: str, places: Places) -> None:
        self.home = home
        """The module in which the value is: what is of the same has no module in its name."""
        self.places = places
        """The paths that count by where in the project they lead."""
        self.leads: dict[Key, Thing] = {}
        """What the value leads to."""
        self.packages: set[str] = set()
        """Top-level modules of the installed distributions that it reaches."""
        self.reads = 0
        """What the code in it reads of other code: see `Node`."""
        self.seen: list[Seen] = []
        """The names that were asked for, and what they lead to."""
        self.lasting = False
        """Whether what is found depends on nothing else."""
        self.definitions: Definitions = definitions
        self._path: dict[int, int] = {}
        self._known: dict[int, tuple[object, Token]] = {}
        self._lowest = 0
        self._looked_at = 0

    def token(self, value: Any) -> Token:
        """What stands for a value. Raises `Unknowable`."""
        kind = type(value)
        if kind not in SCALARS and kind is not type:
            self.lasting = False
        if kind in _PLAIN:
            try:
                text = plain.encode(value)
                placed = self.places.token(value, text)
            except plain.NotPlain:
                pass
            else:
                if placed is not None:
                    return placed
                return text if len(text) < LONG else digest("plain/1", text)
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        depth = len(self._path)
        above = self._path.get(id(value))
        if above is not None:  # a value that contains itself
            self._lowest = min(self._lowest, above)
            return f"^{depth - above}"
        self._path[id(value)] = depth
        outer, self._lowest = self._lowest, depth
        try:
            found = self._found(value, kind)
        finally:
            del self._path[id(value)]
        if self._lowest >= depth:  # nothing in it leads to what it is in
            self._known[id(value)] = (value, found)
        self._lowest = min(outer, self._lowest)
        return found

    def all(self, tag: str, values: Iterable[Any]) -> Token:
        """What stands for several values, in their order."""
        return digest(f"{tag}/1", *map(self.token, values))

    def pairs(self, tag: str, pairs: Iterable[tuple[Any, Any]]) -> Token:
        return digest(f"{tag}/1", *(self.token(item) for pair in pairs for item in pair))

    def _found(self, value: Any, kind: type) -> Token:
        self._looked_at += 1
        if self._looked_at > MOST:
            raise Boundless(f"a {kind.__qualname__} among more than {MOST:,} things")
        if (way := ways.WAYS.get(kind)) is not None:
            return way(self, value)
        if isinstance(value, type):
            return self.definitions.kind(value, self)
        if isinstance(value, ModuleType):
            return self.definitions.module(value, self)
        if isinstance(value, weakref.ref):
            return self.all("reference", [value()])
        if kind in ways.INERT:
            return f"a {kind.__qualname__}"
        # By way of the dict: whoever wraps has attributes of what is wrapped.
        inside = insides.own_dict(value)
        if "__wrapped__" in inside and not is_project(kind.__module__):
            if kind.__module__.startswith("penstock."):  # a pipeline
                return self.token(inside["__wrapped__"])
            return self._wrapper(value, kind)
        if is_project(kind.__module__):
            return self._instance(value, kind)
        return self._reduced(value, kind)

    def thing(self, function: FunctionType) -> Thing | None:
        """Where a function of the project leads, if its name leads to it."""
        found = self.definitions.named(function)
        if found is not None:
            self.note(function)
        return found

    def note(self, found: FunctionType | type) -> None:
        """Note that this is known by its name, for as long as the name leads to it."""
        if self.lasting:
            at = where(found)
            self.seen += at
            self.lasting = bool(at)

    def function(self, function: FunctionType) -> Token:
        return self.definitions.function(function, self)

    def state(self, names: dict[str, Any]) -> Token:
        """Attributes, whose order nobody sees."""
        known = modules.at_home(names)
        return self.pairs("state", sorted(known.items(), key=lambda pair: str(pair[0])))

    def _instance(self, value: Any, kind: type) -> Token:
        """An instance of a class of the project: what is in it, whatever it says of itself."""
        parts = [self.token(kind), self.state(insides.attributes(value))]
        solid = insides.solid(kind)
        if solid in insides.CONTENT:
            parts.append(self.token(insides.CONTENT[solid](value)))
        elif solid is not object:
            parts.append(self._reduced(value, kind))
        return digest("instance/1", *parts)

    def _wrapper(self, value: Any, kind: type) -> Token:
        parts = [self.token(kind), self.state(insides.attributes(value))]
        if (content := insides.CONTENT.get(insides.solid(kind))) is not None:
            parts.append(self.token(content(value)))
        return digest("wrapper/1", *parts)

    def _reduced(self, value: Any, kind: type) -> Token:
        if isinstance(value, PurePath) and kind.__reduce__ is _OF_PATHS:
            place = self.places.find(value)
            if place is not None:
                return digest("placed path/1", self.token(kind), plain.encode(place))
        reduce = copyreg.dispatch_table.get(kind)
        try:
            found: Any = reduce(value) if reduce else value.__reduce_ex__(5)
        except Exception as error:  # a class may refuse with any error
            raise Unknowable(f"a {kind.__qualname__}") from error
        if isinstance(found, str):
            return self._global(value, found)
        made: list[Any] = [*found, None, None, None]
        make, arguments, state, items, pairs = made[:5]
        return digest(
            "reduced/1",
            self.token(make),
            self.all("arguments", arguments),
            self.state(state)
            if type(state) is dict and all(type(name) is str for name in state)
            else self.token(state),
            self.all("items", items or ()),
            self.pairs("pairs", pairs or ()),
        )

    def _global(self, value: Any, name: str) -> Token:
        """What pickle would find under a name; what it is made of counts, where that is shown."""
        module = pickle.whichmodule(value, name)  # type: ignore[attr-defined] # no stub knows it
        if getattr(sys.modules.get(module), name, None) is not value:
            raise Unknowable(f"a {type(value).__qualname__}")
        inside = [getattr(value, part) for part in _TYPING if hasattr(value, part)]
        return digest(
            "global/2", "" if inside else modules.home(module), name, self.all("made of", inside)
        )


def never() -> Token:
    """What stands for something that is never the same."""
    return os.urandom(16).hex()


_OF_PATHS: Final[Any] = PurePath.__reduce__
"""What shows all that there is in a path; a class may have another way to."""

_TYPING: Final = (
    *("__bound__", "__constraints__", "__covariant__", "__contravariant__", "__supertype__"),
    *("__value__", "__default__"),
)
"""What type variables, new types and aliases are made of."""

_PLAIN: Final = frozenset(
    {type(None), bool, int, float, str, bytes, list, tuple, dict, set, frozenset}
)
