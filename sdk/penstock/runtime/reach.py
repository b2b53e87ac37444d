"""Reach: the functions and classes of the project that a function leads to by their names."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from penstock.model.names import reference
from penstock.model.step import Step
from penstock.runtime.libraries import is_project

Definition = FunctionType | type


def reached(function: FunctionType) -> list[Definition]:
    """All of them, without the function itself, in an order that is the same in every process.

    Names are looked up among the globals of whoever names them. What an attribute leads to is not
    followed.
    """
    found: dict[int, Definition] = {}
    waiting: list[Definition] = [function]
    while waiting:
        for item in _named(waiting.pop()):
            if item is not function and id(item) not in found:
                found[id(item)] = item
                waiting.append(item)
    return sorted(found.values(), key=reference)


def methods(kind: type) -> Iterator[tuple[str, FunctionType]]:
    """The functions in a class, also those inside properties and the like."""
    for name, item in vars(kind).items():
        for attribute in ("", "__func__", "fget", "fset", "fdel", "func"):
            found = getattr(item, attribute, None) if attribute else item
            if isinstance(found, FunctionType):
                yield (f"{name}.{attribute}" if attribute else name), found


def _named(item: Definition) -> Iterator[Definition]:
    functions = [item] if isinstance(item, FunctionType) else [each for _, each in methods(item)]
    for function in functions:
        for name in _names(function.__code__):
            found = _definition(function.__globals__.get(name))
            if found is not None and is_project(found.__module__ or ""):
                yield found


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _names(item)


def _definition(value: Any) -> Definition | None:
    """The function or class that a global is; of a step or another wrapper, what it wraps."""
    if isinstance(value, Step):
        value = value.function
    if not isinstance(value, FunctionType | type) and hasattr(value, "__dict__"):
        value = vars(value).get("__wrapped__")
    return value if isinstance(value, FunctionType | type) else None
