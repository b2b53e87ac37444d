"""The registry: which components and stacks there are. Listings import and resolve nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from penstock.errors import (
    NameTaken,
    StackError,
    UnknownComponent,
    did_you_mean,
    listed,
)
from penstock.model.component import Secret, StackComponent
from penstock.stack import files
from penstock.stack.assembling import all_made, assembled, spec_of
from penstock.stack.choice import ASKED, SET, VARIABLE, StackChoice, choices, unknown
from penstock.stack.component import ComponentSpec, several, spoken
from penstock.stack.configuration import BUILT_IN, Configuration, StackSpec
from penstock.stack.file import read
from penstock.stack.flavor import Own
from penstock.stack.making import make, resolved
from penstock.stack.project import Project
from penstock.stack.registered import HERE, REGISTERED, Registered
from penstock.stack.stack import Stack

T = TypeVar("T", Stack, StackComponent)


class Registry:
    """Everything that is built in, in penstock.yaml, in the user's own file, and registered here.

    Files are looked at anew each time, and read when they changed; unless `files` are given, which
    count in place of those.
    """

    def __init__(
        self,
        project: Project,
        registered: Registered = REGISTERED,
        files: Sequence[Configuration] | None = None,
    ) -> None:
        self.project = project
        self._registered = registered
        self._files = files

    @property
    def files(self) -> tuple[Configuration, ...]:
        """What lies on disk: the project's file, then the user's."""
        return tuple(map(read, self._paths) if self._files is None else self._files)

    def seeing(self, file: Configuration) -> Registry:
        """The same as it would be with this content of one of its files, and without what was
        registered in this process."""
        seen = [file if path == file.path else read(path) for path in self._paths]
        return Registry(self.project, Registered(), seen)

    @cached_property
    def _paths(self) -> tuple[Path, ...]:
        return files.paths(self.project)

    @property
    def flavors(self) -> Own:
        """Flavors that the files define; the project's win."""
        return files.flavors(self.files)

    def components(self, category: str | None = None) -> tuple[ComponentSpec, ...]:
        """All components, or those of one category."""
        found: dict[tuple[str, str], ComponentSpec] = {}
        for file in (BUILT_IN, *self.files):
            for spec in file.components:
                found.setdefault((spec.category, spec.name), spec)
        for key, component in self._registered.components.items():
            found[key] = ComponentSpec.of(component, HERE)
        return tuple(spec for spec in found.values() if category in (None, spec.category))

    def component(self, category: str, name: str) -> ComponentSpec:
        """One component. Raises `UnknownComponent`."""
        known = {spec.name: spec for spec in self.components(category)}
        if name not in known:
            raise UnknownComponent(
                f"There is no {spoken(category)} {name!r}. "
                f"{several(category).capitalize()}: {listed(known)}.",
                hint=did_you_mean(name, known),
            )
        return known[name]

    def ready(self, category: str, name: str) -> StackComponent:
        """One component, ready to use: made, references resolved, paths absolute.

        Raises `UnknownComponent`.
        """
        spec = self.component(category, name)
        registered = self._registered.components.get((category, name))
        if registered is not None:
            return resolved(registered).placed(self.project.root)
        ((made, _),) = self.made([spec], f"The {spoken(category)} {name!r}")
        return made

    def stacks(self) -> dict[str, StackSpec]:
        """All stacks, by name."""
        found: dict[str, StackSpec] = {}
        for file in (BUILT_IN, *self.files):
            for name, spec in file.stacks.items():
                found.setdefault(name, spec)
        return found | {name: spec_of(stack) for name, stack in self._registered.stacks.items()}

    def specs(self, name: str) -> tuple[ComponentSpec, ...]:
        """What the stack of this name is made of. Raises `UnknownStack`."""
        if stack := self._registered.stacks.get(name):
            return tuple(stack.spec(component) for component in stack.components)
        spec = self._stack_spec(StackChoice(name, ASKED))
        return tuple(self.component(category, item) for category, item in spec.names())

    def active(self, chosen: str | Stack | None = None, by: str = "given to on()") -> StackChoice:
        """The stack that counts now; `chosen` wins if `by` gives one. Raises `UnknownStack`."""
        if isinstance(chosen, Stack):
            return StackChoice(chosen.name, by)
        if chosen is not None:
            choice = StackChoice(str(chosen), by)
        else:
            choice = self.choice
        self._stack_spec(choice)
        return choice

    def stack(self, chosen: str | Stack | None = None, by: str = "given to on()") -> Stack:
        """The active stack, ready to use: made, references resolved, paths absolute."""
        choice = self.active(chosen, by)
        given = chosen if isinstance(chosen, Stack) else self._registered.stacks.get(choice.name)
        if given is not None:
            pairs = [(item, given.spec(item)) for item in given.components]
            made = [(resolved(item).placed(self.project.root), spec) for item, spec in pairs]
            return assembled(
                choice.name, made, given.steps, choice.origin,
                secrets=given.secrets, places=given.places,
            )  # fmt: skip
        made = self.made(self.specs(choice.name), f"The stack {choice.name!r}")
        spec = self.stacks()[choice.name]
        secrets = {name: Secret(text) for name, text in spec.secrets.items()}
        return assembled(
            choice.name, made, spec.steps, choice.origin, secrets=secrets, places=spec.places
        )

    def tried(
        self, chosen: str | Stack | None = None, by: str = "given to on()"
    ) -> Iterator[tuple[ComponentSpec, StackComponent | StackError]]:
        """Each component of that stack, ready to use, or why it cannot be."""
        choice = self.active(chosen, by)
        given = chosen if isinstance(chosen, Stack) else self._registered.stacks.get(choice.name)
        root, own = self.project.root, self.flavors
        parts: list[tuple[ComponentSpec, Callable[[], StackComponent]]]
        if given is not None:
            parts = [(given.spec(each), partial(resolved, each)) for each in given.components]
        else:
            parts = [(spec, partial(make, spec, own, root)) for spec in self.specs(choice.name)]
        for spec, made in parts:
            try:
                yield spec, made().placed(root)
            except StackError as error:
                yield spec, error

    def from_data(self, data: Mapping[str, Any], origin: str = "in the plan") -> Stack:
        """The stack of a plan, made in this process. Its flavors are this project's."""
        specs = [ComponentSpec.from_data(item) for item in data["components"]]
        made = self.made(specs, f"The stack {data['name']!r}")
        secrets = {name: Secret(text) for name, text in data.get("secrets", {}).items()}
        return assembled(data["name"], made, data["steps"], origin, secrets=secrets)

    def register(self, item: Stack | StackComponent) -> None:
        """Make a stack or component known in this process. Raises `NameTaken`."""
        if not self.lacks(item):
            return
        if isinstance(item, Stack):
            self._registered.stacks[item.name] = item
        else:
            self._registered.components[item.category, item.name] = item

    def lacks(self, item: Stack | StackComponent) -> bool:
        """Whether it is not here yet. Raises `NameTaken` if something different has its name."""
        if isinstance(item, Stack):
            if self._registered.stacks.get(item.name) == item:
                return False
            taken = {name: spec.where for name, spec in self.stacks().items()}
            return self._is_free(item, "stack", taken, self.stack)
        if self._registered.components.get((item.category, item.name)) == item:
            return False
        taken = {spec.name: spec.where for spec in self.components(item.category)}
        return self._is_free(item, spoken(item.category), taken, self._finder(item.category))

    def forget(self, item: Stack | StackComponent) -> None:
        """What was registered in this process under its name; a file may have that as well."""
        if isinstance(item, Stack):
            self._registered.stacks.pop(item.name, None)
        else:
            self._registered.components.pop((item.category, item.name), None)

    @property
    def choice(self) -> StackChoice:
        """Who chooses now; the stack may not exist."""
        return next(choices(self.project, self.files))

    def set_active(self, name: str | None) -> str | None:
        """Choose the stack of this checkout; with None, leave that to others again. Returns a
        warning if the choice has no effect."""
        lasting = {key: spec for key, spec in self.stacks().items() if spec.where != HERE}
        if name is None:
            self.project.unchoose()
        elif name not in lasting:
            raise unknown(StackChoice(name, ASKED), lasting, self.project)
        else:
            self.project.choose(name)
        winner = os.environ.get(VARIABLE, "").strip()
        if winner in ("", name):
            return None
        wins = f"{VARIABLE}={winner} is set here and wins over {SET}"
        missing = "" if winner in self.stacks() else ", and there is no such stack"
        return f"{wins}{missing}. To end that: unset {VARIABLE}"

    def made(
        self, specs: Iterable[ComponentSpec], what: str
    ) -> list[tuple[StackComponent, ComponentSpec]]:
        """Each component, ready to use, with its spec; the problems of all of them at once."""
        return all_made(specs, self.flavors, self.project.root, what)

    def _stack_spec(self, choice: StackChoice) -> StackSpec:
        known = self.stacks()
        if choice.name not in known:
            raise unknown(choice, known, self.project)
        return known[choice.name]

    def _finder(self, category: str) -> Callable[[str], StackComponent]:
        def find(name: str) -> StackComponent:
            registered = self._registered.components.get((category, name))
            if registered is not None:
                return registered.placed(self.project.root)
            ((component, _),) = self.made([self.component(category, name)], name)
            return component

        return find

    def _is_free(
        self, item: T, what: str, taken: Mapping[str, str], find: Callable[[str], T]
    ) -> bool:
        """Whether `item` may take its name; not if it has it already. Raises `NameTaken`."""
        other = next((name for name in taken if name.lower() == item.name.lower()), None)
        if other is None:
            return True
        if self._is_written(item):
            return False
        try:
            there: object = find(other)
        except StackError as error:  # it cannot be made here: then it is not equal
            there = f"{other!r}, which cannot be used here: {error}"
        if there == item.placed(self.project.root):
            return False
        raise NameTaken(
            f"The {what} name {item.name!r} is taken.\n"
            f"  {taken[other]}: {there!r}\n"
            f"  to register: {item!r}",
            hint="Choose another name.",
        )

    def _is_written(self, item: Stack | StackComponent) -> bool:
        """Whether the very same is written somewhere, with references that may lead nowhere."""
        if isinstance(item, Stack):
            known = self.stacks().get(item.name) == spec_of(item)
            return known and all(map(self._is_written, item.components))
        return ComponentSpec.of(item) in self.components(item.category)
