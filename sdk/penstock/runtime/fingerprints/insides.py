"""Insides: what is in an object, whatever its class says of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import cached_property
from pathlib import PurePath
from types import CellType, FunctionType, MemberDescriptorType
from typing import Any, Final

from penstock.runtime.fingerprints.libraries import is_project


def own_dict(value: Any) -> dict[str, Any]:
    """The attributes of an object, whatever else it answers for."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def attributes(value: Any) -> dict[str, Any]:
    """What an object has in its own dict and in its slots, without what it keeps: see `kept`."""
    inside = dict(own_dict(value))
    for name in kept(value):
        del inside[name]
    for base in type(value).__mro__:
        if base in _REDUCED:
            continue
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            place = vars(base).get(_mangled(name, base))
            if isinstance(place, MemberDescriptorType):
                try:
                    inside[f"{base.__qualname__}.{name}"] = place.__get__(value)
                except AttributeError:
                    continue
    return inside


_REDUCED: Final = frozenset(PurePath.__mro__) - {object}
"""Classes that say themselves what they hold, and keep in slots what they have computed of it."""


def kept(value: Any) -> dict[str, Any]:
    """What an object has computed of itself, which it would compute again."""
    return {name: item for name, item in own_dict(value).items() if _is_kept(type(value), name)}


def _is_kept(kind: type, name: str) -> bool:
    found = next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
    return isinstance(found, cached_property)


def closed(function: FunctionType) -> list[CellType]:
    """The closure of a function, without what Python keeps there of the calls so far."""
    cells = function.__closure__ or ()
    skipped = _DISPATCHED if _dispatches(function) else ()
    names = function.__code__.co_freevars
    return [cell for name, cell in zip(names, cells, strict=True) if name not in skipped]


def own_attributes(function: FunctionType) -> dict[str, Any]:
    """The attributes of a function, without a way to what Python keeps."""
    found = vars(function)
    if _dispatches(function):
        return {name: item for name, item in found.items() if name != "_clear_cache"}
    return found


def _dispatches(function: FunctionType) -> bool:
    own = function.__globals__ is vars(functools)
    return own and function.__code__.co_qualname.startswith("singledispatch.<locals>.")


_DISPATCHED: Final = frozenset({"dispatch_cache", "cache_token"})
"""What `functools.singledispatch` keeps of the calls so far."""


def _mangled(name: str, base: type) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{base.__name__.lstrip('_')}{name}" if private else name


def solid(kind: type) -> type:
    """The first base that holds what no attribute shows, or that says itself what it holds."""
    return next(
        base
        for base in kind.__mro__
        if base in CONTENT
        or not base.__flags__ & HEAP
        or (not is_project(base.__module__) and not _SAYS.isdisjoint(vars(base)))
    )


_SAYS: Final = frozenset({"__reduce__", "__reduce_ex__", "__getstate__"})


HEAP: Final = 1 << 9
"""The flag of classes that were made by a class statement, or could have been."""

CONTENT: Final[dict[type, Callable[[Any], Any]]] = {
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
