"""Leaves: the single values in what a step is given, each under a path such as `losses[3]`.

The same paths for a cache key, which says what a value is, and for a graph, which says who made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.model import plain
from penstock.model.binding import Binding, Group

_LISTS = ("list", "tuple", "named")


def in_key(name: str, written: Any) -> Iterator[tuple[str, Any]]:
    """What the inputs of a cache key say of one parameter."""
    if isinstance(written, Mapping):
        for kind in _LISTS:
            if kind in written:
                for number, item in enumerate(written[kind]):
                    yield from in_key(f"{name}[{number}]", item)
                return
        if "dict" in written:
            for key, item in written["dict"]:
                yield from in_key(f"{name}[{key}]", item)
            return
    yield name, written


def in_binding(name: str, binding: Binding) -> Iterator[tuple[str, Binding]]:
    """Where the values of one parameter come from."""
    if not isinstance(binding, Group):
        yield name, binding
    elif binding.kind == "dict":
        for key, item in zip(binding.keys, binding.items, strict=True):
            yield from in_binding(f"{name}[{plain.canonical(key)}]", item)
    else:
        for number, item in enumerate(binding.items):
            yield from in_binding(f"{name}[{number}]", item)
