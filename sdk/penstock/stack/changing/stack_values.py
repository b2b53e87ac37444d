"""New values for a stack: by the key that a file has for them, or by their category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from penstock.errors import BadConfiguration, did_you_mean, listed
from penstock.stack.categories import KNOWN, Category, categories, section_of
from penstock.stack.configuration import DEFAULT, StackSpec

_MAPPINGS: Final = ("steps", "secrets")


def changed(old: StackSpec, values: Mapping[str, Any]) -> StackSpec:
    """The stack with these; None takes away what was there. Raises `BadConfiguration`."""
    found: dict[str, Any] = {}
    more = dict(old.more)
    for key, value in values.items():
        if key in _MAPPINGS:
            found[key] = _mapping(key, value)
            continue
        if name := next((each for each in more if key in (each, section_of(each))), None):
            more[name] = _several(key, value)  # also of a category that is not installed here
            continue
        kind = _kind(key)
        if kind.one:
            found[kind.key] = _one(kind.key, value)
        elif kind.name in KNOWN:
            found[kind.key] = _several(kind.key, value)
        else:
            more[kind.name] = _several(kind.key, value)
    return replace(old, **found, more={name: names for name, names in more.items() if names})


def _kind(key: str) -> Category:
    for kinds in (KNOWN, categories()):  # the known ones cost nothing
        for kind in kinds.values():
            if key in (kind.key, kind.name):
                return kind
    keys = [*(kind.key for kind in categories().values()), *_MAPPINGS]
    raise BadConfiguration(
        f"A stack has no {key!r}. It has: {listed(keys)}.", hint=did_you_mean(key, keys)
    )


def _one(key: str, value: object) -> str:
    if value is None:
        return DEFAULT
    if not isinstance(value, str):
        raise BadConfiguration(f"A stack has one {key}; {value!r} is no name.")
    return value


def _several(key: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    names = () if value is None else tuple(value) if isinstance(value, list | tuple) else (value,)
    if not all(isinstance(name, str) for name in names):
        raise BadConfiguration(f"A stack has a list of {key}; {value!r} are no names.")
    return names


def _mapping(key: str, value: object) -> dict[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise BadConfiguration(f"A stack's {key} are a mapping, and not {value!r}.")
    found = dict(value or {})
    for name, item in found.items():
        _check_item(key, name, item)
    return found


def _check_item(key: str, name: object, item: object) -> None:
    if not isinstance(name, str):
        raise BadConfiguration(f"In {key} of a stack, {name!r} is no name.")
    if key == "steps" and not isinstance(item, Mapping):
        raise BadConfiguration(f"The options of step {name!r} are a mapping, and not {item!r}.")
    if key == "secrets" and not isinstance(item, str):
        raise BadConfiguration(
            f"The secret {name!r} must be text: ${{env:NAME}} or ${{file:PATH}}."
        )
