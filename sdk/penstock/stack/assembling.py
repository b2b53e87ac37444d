"""Stacks and the specs that say the same: one is made from the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.errors import BadConfiguration, MissingReference, StackError
from penstock.model.component import StackComponent
from penstock.stack.categories import KNOWN
from penstock.stack.component import ComponentSpec
from penstock.stack.configuration import ONE, SEVERAL, StackSpec
from penstock.stack.flavor import Own
from penstock.stack.making import make, together
from penstock.stack.registered import HERE
from penstock.stack.stack import Stack


def assembled(
    name: str,
    made: list[tuple[StackComponent, ComponentSpec]],
    steps: Mapping[str, Mapping[str, Any]],
    origin: str,
    **secrets: Any,
) -> Stack:
    """The stack of components that were made, each with its spec."""
    of: dict[str, list[StackComponent]] = {}
    for component, _ in made:
        of.setdefault(component.category, []).append(component)
    parts: dict[str, Any] = {key: of[category][0] for key, category in ONE.items()}
    parts |= {key: of.get(category, []) for key, category in SEVERAL.items()}
    parts["more"] = {category: items for category, items in of.items() if category not in KNOWN}
    return Stack(name, **parts, steps=steps, origin=origin, written=tuple(made), **secrets)


def all_made(
    specs: Iterable[ComponentSpec], own: Own, root: Path, what: str
) -> list[tuple[StackComponent, ComponentSpec]]:
    """Each component, placed, with its spec; the problems of all of them at once."""
    made = []
    problems: list[StackError] = []
    for spec in specs:
        try:
            made.append((make(spec, own, root).placed(root), spec))
        except (BadConfiguration, MissingReference) as error:
            problems.append(error)
    if problems:
        raise together(problems, what)
    return made


def spec_of(stack: Stack) -> StackSpec:
    """A stack that was registered in code, as a listing shows it."""
    names: dict[str, Any] = {key: getattr(stack, key).name for key in ONE}
    names |= {key: _names(getattr(stack, key)) for key in SEVERAL}
    names["more"] = {category: _names(items) for category, items in stack.more.items()}
    secrets = {name: secret.written for name, secret in stack.secrets.items()}
    return StackSpec(stack.name, **names, steps=stack.steps, secrets=secrets, where=HERE)


def _names(components: Iterable[StackComponent]) -> tuple[str, ...]:
    return tuple(component.name for component in components)
