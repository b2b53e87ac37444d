"""The entries of one file that is being changed: each is checked before it is put there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from penstock.errors import (
    BadConfiguration,
    StackError,
    UnknownComponent,
    UnknownStack,
    did_you_mean,
    listed,
)
from penstock.stack import categories, provisioned
from penstock.stack.changing import stack_values
from penstock.stack.changing.acceptance import Acceptance
from penstock.stack.changing.document import Document
from penstock.stack.complaints import shown
from penstock.stack.component import ComponentSpec, spoken
from penstock.stack.configuration import ONE, Configuration, StackSpec
from penstock.stack.registry import Registry

Values = Mapping[str, Any]
"""New values by option, or by key of a stack."""

_STACKS: Final = "stacks"


class Entries:
    """What a file holds, while its lock is held. Nothing is on disk before the end."""

    def __init__(self, document: Document, registry: Registry, path: Path) -> None:
        self.path = path
        self._document = document
        self._registry = registry

    @property
    def file(self) -> Configuration:
        """What it says now."""
        return self._document.configuration

    @property
    def registry(self) -> Registry:
        """What there would be with this file as it is now."""
        return self._registry.seeing(self.file)

    @property
    def text(self) -> str:
        """To be compared."""
        return self._document.text

    def where(self, *way: str) -> str:
        """File and line of an entry."""
        return f"{shown(self.path)}:{self._document.line(*way)}"

    def of_component(self, category: str, name: str) -> str:
        """File and line of a component."""
        return self.where(categories.section_of(category), name)

    def add_component(self, spec: ComponentSpec) -> None:
        """Write down a new one. Raises what is wrong with it."""
        self._acceptance.new_component(spec)
        self._put(spec)

    def change_component(
        self, category: str, name: str, options: Values, unset: Iterable[str]
    ) -> tuple[ComponentSpec, ComponentSpec]:
        """Set options, and take some away. Returns it as it was and as it is."""
        old = self.component(category, name)
        _refuse_unchangeable(old, options)
        _refuse_unwritten(old, unset)
        kept = {key: value for key, value in old.options.items() if key not in unset}
        at = {option: place for option, place in old.at.items() if option not in options}
        new = replace(old, options={**kept, **options}, at=at)
        self._acceptance.changed_component(new, options)
        self._put(new)
        return old, self.component(category, name)

    def remove_component(self, spec: ComponentSpec) -> None:
        """Take it out. Raises `StackError` if it is in use, or up."""
        self._refuse_used(spec)
        self._refuse_up([spec], f"penstock {spec.category} down {spec.name} --force")
        self._document.remove(categories.section_of(spec.category), spec.name)

    def add_stack(self, spec: StackSpec) -> None:
        """Write down a new one. Raises what is wrong with it."""
        self._acceptance.new_stack(spec)
        self._document.put(_STACKS, spec.name, spec.entry())

    def change_stack(self, name: str, values: Values) -> tuple[StackSpec, StackSpec]:
        """Set what it has; None takes it away. Returns it as it was and as it is."""
        old = self.stack(name)
        new = stack_values.changed(old, values)
        self._acceptance.changed_stack(new, old)
        self._document.put(_STACKS, name, new.entry())
        return old, self.stack(name)

    def remove_stack(self, spec: StackSpec) -> None:
        """Take it out, also as the file's default. Raises `StackError` if something of it is up."""
        own = [each for each in self._parts(spec) if not self.users(each, but=spec.name)]
        self._refuse_up(own, f"penstock stack down {spec.name} --force")
        self._document.remove(_STACKS, spec.name)
        if self.file.active == spec.name and spec.name not in self.registry.stacks():
            self._document.set_active(None)

    def add_flavor(self, category: str, name: str, target: str) -> None:
        """Write down a new one. Raises what is wrong with it."""
        self._acceptance.new_flavor(category, name, target)
        self._document.put_flavor(category, name, target)

    def remove_flavor(self, category: str, name: str) -> str:
        """Take it out. Returns its class; raises `StackError` if a component is of it."""
        for each in self.file.components:
            if (each.category, each.flavor) == (category, name):
                raise StackError(
                    f"The {spoken(category)} flavor {name!r} is in use: the {spoken(category)} "
                    f"{each.name!r} is of it ({each.where}).",
                    hint=f"To delete that first, type: penstock {category} delete {each.name}",
                )
        return self._document.remove_flavor(category, name)

    def set_active(self, name: str | None) -> None:
        """Make a stack the default of this file."""
        self._document.set_active(name)

    def component(self, category: str, name: str) -> ComponentSpec:
        """One that stands here."""
        key = (category, name)
        found = [each for each in self.file.components if (each.category, each.name) == key]
        if not found:
            raise UnknownComponent(_gone(f"{spoken(category)} {name!r}"))
        return found[0]

    def stack(self, name: str) -> StackSpec:
        """One that stands here."""
        if name not in self.file.stacks:
            raise UnknownStack(_gone(f"stack {name!r}"))
        return self.file.stacks[name]

    def removable(self, spec: StackSpec) -> tuple[list[ComponentSpec], list[str]]:
        """Of a stack's components those that it alone has, and a sentence for each other one."""
        parts = self._parts(spec)
        return (
            [each for each in parts if not self.users(each, but=spec.name)],
            [
                f"The {spoken(each.category)} {each.name!r} stays: {_stacks(users)}."
                for each in parts
                if (users := self.users(each, but=spec.name))
            ],
        )

    def users(self, spec: ComponentSpec, but: str = "") -> list[str]:
        """The stacks that have it, without one of them."""
        key = (spec.category, spec.name)
        return [
            name for name, stack in self.file.stacks.items() if name != but and key in stack.names()
        ]

    @property
    def _acceptance(self) -> Acceptance:
        return Acceptance(self.registry, self.path)

    def _put(self, spec: ComponentSpec) -> None:
        self._document.put(categories.section_of(spec.category), spec.name, spec.entry())

    def _parts(self, stack: StackSpec) -> list[ComponentSpec]:
        """Its components that stand here, which the built-in ones do not."""
        names = stack.names()
        return [each for each in self.file.components if (each.category, each.name) in names]

    def _refuse_used(self, spec: ComponentSpec) -> None:
        if users := self.users(spec):
            raise StackError(
                f"The {spoken(spec.category)} {spec.name!r} is in use: {_stacks(users)}.",
                hint=_to_free(spec, self.stack(users[0])),
            )

    def _refuse_up(self, specs: Iterable[ComponentSpec], command: str) -> None:
        up = [each for each in specs if provisioned.is_up(self._registry.project, each)]
        if up:
            names = ", ".join(f"the {spoken(each.category)} {each.name!r}" for each in up)
            raise StackError(
                f"{names[0].upper()}{names[1:]} {'is' if len(up) == 1 else 'are'} up: what "
                "`up` has made from here is still there.",
                hint=f"To remove that first, type: {command}",
            )


def _to_free(spec: ComponentSpec, stack: StackSpec) -> str:
    """What takes a component out of a stack that has it."""
    command = f"penstock stack update {stack.name}"
    if spec.category in ONE.values():
        return f"To give that one another, type: {command} --{spec.category}=NAME"
    names = [name for category, name in stack.names() if category == spec.category]
    rest = [f"--{spec.category}={name}" for name in names if name != spec.name]
    words = rest or [f"--unset={categories.section_of(spec.category)}"]
    return f"To take it out of that one, type: {command} {' '.join(words)}"


def _refuse_unchangeable(spec: ComponentSpec, options: Values) -> None:
    for key in ("name", "flavor"):
        if key in options:
            raise BadConfiguration(
                f"The {spoken(spec.category)} {spec.name!r} keeps its {key}.",
                hint=f"Register another one: penstock {spec.category} register NAME --flavor=…",
            )


def _refuse_unwritten(spec: ComponentSpec, unset: Iterable[str]) -> None:
    for option in unset:
        if option not in spec.options:
            raise BadConfiguration(
                f"{spec.where}: {spoken(spec.category)} {spec.name!r} has no {option!r} there; "
                f"options that it has: {listed(spec.options)}.",
                hint=did_you_mean(option, spec.options),
            )


def _stacks(names: list[str]) -> str:
    if len(names) == 1:
        return f"the stack {names[0]!r} has it"
    return f"the stacks {listed(names)} have it"


def _gone(what: str) -> str:
    """It was there when it was looked for, before the lock was ours."""
    return f"There is no {what} any more: somebody else has just deleted it."
