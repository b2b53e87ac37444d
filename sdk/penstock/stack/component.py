"""Component specs: a component as it was written, before anything is imported or resolved."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from itertools import chain
from typing import Any, Self

from penstock.errors import BadConfiguration
from penstock.model.component import Secret, StackComponent


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """A component as data. References in it lead nowhere until a component is made from it."""

    category: str
    name: str
    flavor: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """As they were written: plain data. From a file, a secret may stand in it literally."""
    where: str = field(default="given in code", compare=False)
    """Who wrote it, for example `penstock.yaml:3:5`."""
    at: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Where each option is written, if that is known."""

    @classmethod
    def of(cls, component: StackComponent, where: str = "given in code") -> Self:
        """What a component would be made from. A literal secret becomes the reference that
        `literals` names."""
        options = {
            option: _plain(component, option, value)
            for option, value in component.options().items()
        }
        return cls(component.category, component.name, component.flavor, options, where)

    def entry(self) -> dict[str, Any]:
        """What stands below its name in a file."""
        return {"flavor": self.flavor, **self.options}

    def to_data(self) -> dict[str, Any]:
        """JSON-able, without where it was written."""
        return {
            "category": self.category,
            "name": self.name,
            "flavor": self.flavor,
            "options": dict(self.options),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], where: str = "in the plan") -> Self:
        """The spec again."""
        return cls(data["category"], data["name"], data["flavor"], dict(data["options"]), where)


def spoken(category: str) -> str:
    """A category in a sentence."""
    return category.replace("-", " ")


def a(category: str) -> str:
    """One of a category, which is not said which, in a sentence."""
    text = spoken(category)
    return f"an {text}" if text[0] in "aeiou" else f"a {text}"


def several(category: str) -> str:
    """Several of a category in a sentence."""
    text = spoken(category)
    return f"{text[:-1]}ies" if re.search("[^aeiou]y$", text) else f"{text}s"


def literals(component: StackComponent) -> Iterator[tuple[str, str, Secret]]:
    """Options that hold a secret itself: option, variable, secret.

    A spec names the variable in place of the secret. A process that is to make the component from
    the spec must be given it; only one of our own on this machine ever is.
    """
    for option, path, secret in secrets_in(component):
        if not secret.is_reference:
            yield option, _variable(component, path), secret


def secrets_in(component: StackComponent) -> Iterator[tuple[str, str, Secret]]:
    """All that its options hold: option, the path that leads there, secret."""
    for item in fields(component):
        for path, found in _inside(item.name, getattr(component, item.name)):
            if isinstance(found, Secret):
                yield item.name, path, found


def option_fields(cls: type[StackComponent]) -> tuple[Field[Any], ...]:
    """Its fields but the name, which is not an option but a key."""
    return tuple(item for item in fields(cls) if item.init and item.name != "name")


def is_required(item: Field[Any]) -> bool:
    """Whether there is no default."""
    return item.default is MISSING and item.default_factory is MISSING


def _inside(path: str, value: object) -> Iterator[tuple[str, object]]:
    """What an option holds, with the path that leads to it: of a list or a mapping, all of it."""
    if isinstance(value, Mapping):
        found = [_inside(f"{path}_{key}", item) for key, item in value.items()]
    elif isinstance(value, tuple | list):
        found = [_inside(f"{path}_{index}", item) for index, item in enumerate(value)]
    else:
        found = [iter([(path, value)])]
    return chain.from_iterable(found)


def _variable(component: StackComponent, name: str) -> str:
    text = f"PENSTOCK_SECRET_{component.category}_{component.name}_{name}"
    return re.sub(r"[^A-Z0-9]", "_", text.upper())


def _plain(component: StackComponent, path: str, value: object) -> Any:
    """The value as YAML would hold it; `path` leads to it."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Secret):
        if value.is_reference:
            return value.written
        return f"${{env:{_variable(component, path)}}}"
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Enum):
        return _plain(component, path, value.value)
    if isinstance(value, Mapping):
        return {str(key): _plain(component, f"{path}_{key}", item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            item.name: _plain(component, f"{path}_{item.name}", getattr(value, item.name))
            for item in fields(value)
            if getattr(value, item.name) != item.default
        }
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(component, f"{path}_{i}", item) for i, item in enumerate(value)]
    raise BadConfiguration(
        f"The {spoken(component.category)} {component.name!r}: {path}={value!r} cannot be written "
        "down; an option is text, a number, true or false, a list or a mapping."
    )
