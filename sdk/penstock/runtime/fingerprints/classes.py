"""Classes: their text, what it names, what they are made of, and what is in them now."""

from __future__ import annotations

import os
import sys
from _abc import _get_dump  # type: ignore[import-not-found] # no stub knows it
from abc import ABCMeta
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final, Protocol

from penstock.digest import digest
from penstock.runtime.fingerprints import modules, outline
from penstock.runtime.fingerprints.libraries import module_of
from penstock.runtime.fingerprints.links import lookups
from penstock.runtime.fingerprints.outline import Outline
from penstock.runtime.fingerprints.values import Token, Unknowable, Walk
from penstock.runtime.fingerprints.wholes import Place, by_source

_NOT_COUNTED: Final = frozenset(
    {
        *("__doc__", "__module__", "__qualname__", "__dict__", "__weakref__", "__firstlineno__"),
        *("__static_attributes__", "__abstractmethods__", "_abc_impl", "__orig_bases__"),
        *("__parameters__", "__annotate_func__", "__annotations_cache__"),
        "__slotnames__",  # there once an instance was pickled
    }
)
"""What Python itself puts into a class, and what says where it is and not what it does."""


_MACHINERY: Final = frozenset({"pydantic", "pydantic_core", "sqlalchemy"})
"""Libraries whose objects under such names are only ways to do what the class says."""


class Coder(Protocol):
    """What knows what a function does."""

    def code(self, function: FunctionType, walk: Walk) -> Token: ...


def outlined(kind: type) -> Outline:
    """The outline of a class, as it is written in the file of its module."""
    module = sys.modules.get(module_of(kind))
    file = modules.attribute(module, "__file__") or _file_of_methods(kind)
    prefix = f"{kind.__qualname__}."
    codes = [
        item.__code__
        for item in map(_function, vars(kind).values())
        if item is not None and item.__code__.co_qualname.startswith(prefix)
    ]
    return outline.of_class(kind, file, codes)


def token(kind: type, coder: Coder, walk: Walk) -> Token:
    """What stands for a class by itself. Its bases it leads to."""
    found = outlined(kind)
    around = vars(sys.modules.get(module_of(kind)) or sys.modules["builtins"])
    place = Place(kind.__qualname__, os.path.basename(found.file))
    parts = [kind.__qualname__, found.digest, lookups(found.names, around, place, walk)]
    parts += [walk.token(base) for base in (type(kind), *kind.__bases__)]
    for name, member in sorted(vars(kind).items()):
        # Whoever asks a class without annotations for them leaves an empty dict in it.
        if name not in _NOT_COUNTED and (name != "__annotations__" or member):
            parts.append(f"{name}={_member(kind, name, member, coder, walk)}")
    if isinstance(kind, ABCMeta):
        parts += sorted(walk.token(child) for child in _registered(kind))
    return digest("class/2", *parts)


def _registered(kind: ABCMeta) -> list[type]:
    """The classes that have been declared to be children."""
    references: set[Any] = _get_dump(kind)[0]
    return [child for reference in references if (child := reference()) is not None]


def _member(kind: type, name: str, member: Any, coder: Coder, walk: Walk) -> Token:
    if isinstance(member, FunctionType) and member.__code__.co_qualname.startswith(
        f"{kind.__qualname__}."
    ):
        walk_into = coder.code
        try:
            return walk_into(member, walk)
        except Unknowable as error:
            return _fallback(kind, name, error, walk)
    if isinstance(member, MemberDescriptorType | GetSetDescriptorType):
        return "slot"
    if name.startswith("__") and name.endswith("__"):
        return _special(kind, name, member, walk)
    try:
        return walk.token(member)
    except Unknowable as error:
        return _fallback(kind, name, error, walk)


def _special(kind: type, name: str, member: Any, walk: Walk) -> Token:
    """What has a name of Python's or of a library's: whatever it is, but for the machinery."""
    if _is_machinery(name, member):
        return f"a {type(member).__qualname__}"
    try:
        return walk.token(member)
    except Unknowable as error:
        return error.token() if _function(member) else _fallback(kind, name, error, walk)


def _is_machinery(name: str, member: Any) -> bool:
    """What libraries make of what is in the class anyway, with addresses and caches in it."""
    if name.startswith("__pydantic_"):
        return name not in ("__pydantic_fields__", "__pydantic_generic_metadata__")
    return module_of(type(member)).partition(".")[0] in _MACHINERY


def _fallback(kind: type, name: str, error: Unknowable, walk: Walk) -> Token:
    note = f"{error} in {kind.__qualname__}.{name} cannot be looked into"
    return f"{error.token()} {by_source(modules.home(module_of(kind)), note, walk)}"


def _function(member: Any) -> FunctionType | None:
    """The function in a member, also in what wraps one."""
    for attribute in ("__func__", "fget", "func"):
        if not isinstance(member, FunctionType | type):
            member = getattr(member, attribute, None) or member
    return member if isinstance(member, FunctionType) else None


def _file_of_methods(kind: type) -> str:
    """Where a class is written whose module has no file, as in a notebook."""
    found = [item.__code__.co_filename for item in map(_function, vars(kind).values()) if item]
    return next((file for file in found if file != "<string>"), "")
