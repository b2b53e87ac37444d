"""Lasting: what was found of a function or constant, for as long as the process lives.

A node lasts while whatever it was made of is the very same: cheap to see, as all of it is names
that lead to objects which nobody can change in place, or which have nodes of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FunctionType
from typing import Any, Final, NamedTuple

from penstock.runtime.fingerprints.libraries import module_of
from penstock.runtime.fingerprints.places import Places
from penstock.runtime.fingerprints.unit import Key, Node, Thing

MISSING: Final = object()
"""What a name leads to that is not there."""

SCALARS: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type(...)})
"""Types of values that nobody can change."""

Seen = tuple[Mapping[Any, Any], Any, Any]
"""Names, one of them, and what it leads to."""


class _Lasting(NamedTuple):
    node: Node
    parts: tuple[Any, ...]
    """What the function was made of."""
    seen: tuple[Seen, ...]
    root: str
    """Of the project in which it was found."""


_nodes: dict[Key, _Lasting] = {}


def find(thing: Thing, places: Places) -> Node | None:
    """The node of a thing, if nothing of it has changed since it was kept, in the same project."""
    known = _nodes.get(thing.key)
    if known is None or known.root != places.root:
        return None
    if not _is_same(known.node.thing.target, thing.target):
        return None
    parts = _parts(thing.target)
    if len(parts) != len(known.parts) or not all(map(_is, parts, known.parts)):
        return None
    for names, name, value in known.seen:
        if names.get(name, MISSING) is not value:
            return None
    return known.node


def keep(node: Node, seen: list[Seen], places: Places) -> None:
    """Keep a node that nothing but these names was asked for."""
    target = node.thing.target
    if node.thing.kind == "data":
        space, name = target
        seen = [(space, name, space[name])]
    _nodes[node.thing.key] = _Lasting(node, _parts(target), tuple(seen), places.root)


def is_plain(function: FunctionType) -> bool:
    """Whether a function holds nothing that could change in place."""
    return (
        not function.__closure__
        and not function.__kwdefaults__
        and not vars(function)
        and all(type(item) in SCALARS for item in function.__defaults__ or ())
    )


def where(value: FunctionType | type) -> list[Seen]:
    """The names by which anybody finds a function or class; none if that is not so simple."""
    if isinstance(value, type):
        name, own = module_of(value), value.__qualname__
    else:
        name, own = str(value.__globals__.get("__name__", "")), value.__code__.co_qualname
    module = sys.modules.get(name)
    if module is None or vars(module).get(own) is not value:
        return []
    return [(sys.modules, name, module), (vars(module), own, value)]


def _parts(target: Any) -> tuple[Any, ...]:
    """What must be the very same for a function to be: what it is compared with lives as long."""
    if type(target) is not FunctionType:
        return ()
    notes = target.__annotations__
    held = (target.__closure__, target.__kwdefaults__, vars(target) or None)
    return (target.__code__, target.__defaults__, *held, *notes, *notes.values())


def _is_same(one: Any, other: Any) -> bool:
    if type(one) is tuple and type(other) is tuple:  # of data
        return one[0] is other[0] and bool(one[1] == other[1])
    return one is other


def _is(one: object, other: object) -> bool:
    return one is other
