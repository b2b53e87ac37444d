"""Values in code: what a global, a default or a closure holds, as a digest that is the same in
every process.

A value is walked as pickle would, without pickling it. Functions and classes in it are not part of
it but lead on: they are asked for. Dicts count in their order, sets in none.
"""

from __future__ import annotations

import _thread
import copyreg
import gc
import os
import struct
import weakref
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import cmp_to_key, partial
from pickle import PickleBuffer
from types import (
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Final, Protocol

from penstock.digest import digest, of_buffers
from penstock.model import plain
from penstock.model.file import File
from penstock.model.step import Step
from penstock.runtime.fingerprints import outline
from penstock.runtime.fingerprints.libraries import is_project
from penstock.runtime.fingerprints.unit import Key, Thing

Token = str
"""What stands for a value: text, short or a digest."""


LONG: Final = 200
"""Characters of plain data from which its digest stands for it."""


class Unknowable(Exception):
    """A value that nothing but its source tells anything about."""


class Definitions(Protocol):
    """What knows functions, classes and modules."""

    def named(self, function: FunctionType) -> Thing | None: ...

    def function(self, function: FunctionType, walk: Walk) -> Token: ...

    def kind(self, kind: type, walk: Walk) -> Token: ...

    def module(self, module: ModuleType, walk: Walk) -> Token: ...

    def file(self, file: File, walk: Walk) -> Token: ...


class Walk:
    """One walk through one value and what is in it."""

    def __init__(self, definitions: Definitions, home: str) -> None:
        self.home = home
        """The module in which the value is: what is of the same has no module in its name."""
        self.leads: dict[Key, Thing] = {}
        """What the value leads to."""
        self.packages: set[str] = set()
        """Top-level modules of the installed distributions that it reaches."""
        self._definitions = definitions
        self._path: dict[int, int] = {}
        self._known: dict[int, tuple[object, Token]] = {}
        self._lowest = 0

    def token(self, value: Any) -> Token:
        """What stands for a value. Raises `Unknowable`."""
        kind = type(value)
        if kind in _PLAIN:
            try:
                text = plain.encode(value)
            except plain.NotPlain:
                pass
            else:
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
        if (way := _WAYS.get(kind)) is not None:
            return way(self, value)
        if isinstance(value, type):
            return self._definitions.kind(value, self)
        if isinstance(value, weakref.ref):
            return self.all("reference", [value()])
        if kind in _INERT:
            return f"a {kind.__qualname__}"
        # By way of the dict: whoever wraps has attributes of what is wrapped.
        inside = _own_dict(value)
        if "__wrapped__" in inside:
            if kind.__module__.startswith("penstock."):  # a pipeline
                return self.token(inside["__wrapped__"])
            return digest("wrapper/1", self.token(kind), self.state(inside))
        if is_project(kind.__module__):
            return self._instance(value, kind)
        return self._reduced(value, kind)

    def thing(self, function: FunctionType) -> Thing | None:
        """Where a function of the project leads, if its name leads to it."""
        return self._definitions.named(function)

    def function(self, function: FunctionType) -> Token:
        return self._definitions.function(function, self)

    def state(self, names: dict[str, Any]) -> Token:
        """Attributes, whose order nobody sees."""
        return self.pairs("state", sorted(names.items(), key=lambda pair: str(pair[0])))

    def _instance(self, value: Any, kind: type) -> Token:
        """An instance of a class of the project: what is in it, whatever it says of itself."""
        inside = dict(_own_dict(value))
        for base in kind.__mro__:
            slots = vars(base).get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                place = vars(base).get(_mangled(name, base))
                if isinstance(place, MemberDescriptorType):
                    try:
                        inside[f"{base.__qualname__}.{name}"] = place.__get__(value)
                    except AttributeError:
                        continue
        parts = [self.token(kind), self.state(inside)]
        solid = _solid(kind)
        if solid in _CONTENT:
            parts.append(self.token(_CONTENT[solid](value)))
        elif solid is not object:
            parts.append(self._reduced(value, kind))
        return digest("instance/1", *parts)

    def _reduced(self, value: Any, kind: type) -> Token:
        reduce = copyreg.dispatch_table.get(kind)
        try:
            found: Any = reduce(value) if reduce else value.__reduce_ex__(5)
        except Exception as error:  # a class may refuse with any error
            raise Unknowable(f"a {kind.__qualname__}") from error
        if isinstance(found, str):
            return digest("global/1", getattr(value, "__module__", None) or "", found)
        made: list[Any] = [*found, None, None, None]
        make, arguments, state, items, pairs = made[:5]
        return digest(
            "reduced/1",
            self.token(make),
            self.all("arguments", arguments),
            self.state(state) if type(state) is dict and _is_text(state) else self.token(state),
            self.all("items", items or ()),
            self.pairs("pairs", pairs or ()),
        )


def _own_dict(value: Any) -> dict[str, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def _is_text(state: dict[Any, Any]) -> bool:
    return all(type(name) is str for name in state)


def _mangled(name: str, base: type) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{base.__name__.lstrip('_')}{name}" if private else name


def _solid(kind: type) -> type:
    """The first base that holds what no attribute shows, or that says itself what it holds."""
    return next(
        base
        for base in kind.__mro__
        if base in _CONTENT
        or not base.__flags__ & _HEAP
        or (not is_project(base.__module__) and not _SAYS.isdisjoint(vars(base)))
    )


_SAYS: Final = frozenset({"__reduce__", "__reduce_ex__", "__getstate__"})


_HEAP: Final = 1 << 9
"""The flag of classes that were made by a class statement, or could have been."""

_PLAIN: Final = frozenset(
    {type(None), bool, int, float, str, bytes, list, tuple, dict, set, frozenset}
)

_CONTENT: Final[dict[type, Callable[[Any], Any]]] = {
    int: int.__int__,
    float: float.__float__,
    str: str.__str__,
    bytes: lambda value: bytes(memoryview(value)),
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    dict: lambda value: dict(dict.items(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}
"""What is in an instance of a subclass."""

_INERT: Final = frozenset({_thread.LockType, _thread.RLock, _thread._local, object})
"""Types whose values hold nothing that could matter."""


def _unordered(walk: Walk, value: Any) -> Token:
    return digest(f"{type(value).__name__}/1", *sorted(map(walk.token, value)))


def _weak(walk: Walk, value: Any) -> Token:
    return walk.pairs("weak", value.items())


def _named(walk: Walk, value: Any) -> Token:
    """Functions in C, by name; of a method also the object."""
    of = getattr(value, "__self__", None)
    own = [walk.token(of)] if of is not None and not isinstance(of, ModuleType) else []
    kind = getattr(value, "__objclass__", None)
    own += [walk.token(kind)] if kind is not None else []
    return digest("named/1", getattr(value, "__module__", None) or "", value.__qualname__, *own)


def _cell(walk: Walk, value: CellType) -> Token:
    try:
        return walk.token(value.cell_contents)
    except ValueError:  # not assigned yet
        return "empty"


def _variable(walk: Walk, value: ContextVar[Any]) -> Token:
    try:
        return walk.all("variable", [value.name, value.get()])
    except LookupError:
        return walk.all("variable", [value.name])


def _comparing(walk: Walk, value: Any) -> Token:
    """What `functools.cmp_to_key` makes shows the function to nobody but the collector."""
    return walk.all("comparing", gc.get_referents(value))


_WAYS: Final[dict[type, Callable[[Walk, Any], Token]]] = {
    float: lambda walk, value: f"float {struct.pack('>d', value).hex()}",
    bytes: lambda walk, value: digest("bytes/1", value),
    bytearray: lambda walk, value: digest("bytearray/1", value),
    complex: lambda walk, value: f"complex {struct.pack('>dd', value.real, value.imag).hex()}",
    list: lambda walk, value: walk.all("list", value),
    tuple: lambda walk, value: walk.all("tuple", value),
    dict: lambda walk, value: walk.pairs("dict", value.items()),
    MappingProxyType: lambda walk, value: walk.pairs("proxy", value.items()),
    set: _unordered,
    frozenset: _unordered,
    FunctionType: lambda walk, value: walk.function(value),
    ModuleType: lambda walk, value: walk._definitions.module(value, walk),
    MethodType: lambda walk, value: walk.all("method", [value.__func__, value.__self__]),
    CodeType: lambda walk, value: outline.of_code(value),
    CellType: _cell,
    property: lambda walk, value: walk.all("property", [value.fget, value.fset, value.fdel]),
    staticmethod: lambda walk, value: walk.all("static", [value.__func__]),
    classmethod: lambda walk, value: walk.all("class", [value.__func__]),
    partial: lambda walk, value: walk.all(
        "partial", [value.func, value.args, value.keywords, vars(value)]
    ),
    type(cmp_to_key(max)): _comparing,
    PickleBuffer: lambda walk, value: of_buffers([value.raw()]),
    ContextVar: _variable,
    Step: lambda walk, value: walk.token(value.function),
    File: lambda walk, value: walk._definitions.file(value, walk),
    weakref.WeakKeyDictionary: _weak,
    weakref.WeakValueDictionary: _weak,
    weakref.WeakSet: _unordered,
    **dict.fromkeys(
        [
            *[BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType, MethodWrapperType],
            *[GetSetDescriptorType, MemberDescriptorType, ClassMethodDescriptorType],
        ],
        _named,
    ),
}


def never() -> Token:
    """What stands for something that is never the same."""
    return os.urandom(16).hex()
