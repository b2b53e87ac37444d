"""Changing what is registered: the verbs of the command line and of the client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from penstock.errors import StackError, UnknownStack
from penstock.stack.changing import undoing
from penstock.stack.changing.acceptance import Acceptance
from penstock.stack.changing.change import Change
from penstock.stack.changing.entries import Entries
from penstock.stack.changing.places import Places
from penstock.stack.choice import ASKED, StackChoice, unknown
from penstock.stack.component import ComponentSpec, spoken
from penstock.stack.configuration import DEFAULT, Configuration, StackSpec
from penstock.stack.registry import Registry

STAYS = "It was so already."


class Changes:
    """What may be done to the files of a project and its user. Each verb is one edit of one file:
    all of it is written, or nothing."""

    def __init__(self, registry: Registry, *, user: bool = False) -> None:
        self.registry = registry
        self.places = Places(registry, user=user)

    @property
    def file(self) -> Path:
        """Where new entries go: the project's file if there is one, else the user's."""
        return self.places.new

    def settle(self) -> None:
        """From now on new entries go to the file that is right now, and are checked against what
        the files hold now, whatever becomes of these meanwhile."""
        self.places.settle()
        self.registry = Registry(self.registry.project, files=self.registry.files)

    def check_component(self, spec: ComponentSpec) -> None:
        """Raise what `register_component` would. Nothing is written, and no reference resolved."""
        Acceptance(self.registry, self.file).new_component(spec)

    def check_name(self, what: str, name: str) -> None:
        """Raise what is wrong with a new name alone; `what` is a category or `stack`."""
        Acceptance(self.registry, self.file).new_name(what, name)

    def register_component(self, spec: ComponentSpec) -> Change:
        """Write down a new component."""
        with self.places.entries(self.file) as entries:
            entries.add_component(spec)
        return self.registered(entries, spec)

    def registered(self, entries: Entries, spec: ComponentSpec) -> Change:
        """What there is to say of a component that was written down."""
        where = entries.of_component(spec.category, spec.name)
        undo = f"penstock {spec.category} delete {spec.name}{self.places.flag(entries.path)}"
        remarks = self.places.shadows(entries, spec)
        return Change(_what(spec), "registered", entries.path, where, undo, remarks)

    def update_component(
        self, category: str, name: str, options: Mapping[str, Any], unset: Iterable[str] = ()
    ) -> Change:
        """Set options of a component, and take some away."""
        with self.places.entries(self.places.of_component(category, name)) as entries:
            before = entries.text
            old, new = entries.change_component(category, name, options, tuple(unset))
        where = entries.of_component(category, name)
        if entries.text == before:
            return Change(_what(old), "updated", entries.path, where, remarks=(STAYS,))
        own = entries.file.flavors
        undo = undoing.component_update(old, new, own, self.places.flag(entries.path))
        lost = [option for option in undoing.left_out(old, own) if option not in new.options
                or new.options[option] != old.options[option]]  # fmt: skip
        remarks = self.places.kept(entries.path, lost)
        return Change(_what(old), "updated", entries.path, where, undo, remarks)

    def delete_component(self, category: str, name: str) -> Change:
        """Take a component out. Raises `StackError` if a stack has it."""
        with self.places.entries(self.places.of_component(category, name)) as entries:
            spec = entries.component(category, name)
            entries.remove_component(spec)
        return self._deleted(entries, spec)

    def check_stack(self, spec: StackSpec) -> None:
        """Raise what `register_stack` would. Nothing is written."""
        Acceptance(self.registry, self.file).new_stack(spec)

    def register_stack(self, spec: StackSpec) -> Change:
        """Write down a new stack, of components that stand in the same file."""
        with self.places.entries(self.file) as entries:
            entries.add_stack(spec)
        return self.registered_stack(entries, spec)

    def registered_stack(self, entries: Entries, spec: StackSpec, also: str = "") -> Change:
        """What there is to say of a stack that was written down."""
        undo = f"penstock stack delete {spec.name}{also}{self.places.flag(entries.path)}"
        where = entries.where("stacks", spec.name)
        remarks = self.places.shadows(entries, spec)
        return Change(_what(spec), "registered", entries.path, where, undo, remarks)

    def update_stack(self, name: str, changes: Mapping[str, Any]) -> Change:
        """Give a stack other components, steps or secrets, by key of a `StackSpec` or by category;
        None takes away what was there."""
        with self.places.entries(self.places.of_stack(name)) as entries:
            before = entries.text
            old, new = entries.change_stack(name, changes)
        return self.updated_stack(entries, old, new, stays=entries.text == before)

    def updated_stack(
        self, entries: Entries, old: StackSpec, new: StackSpec, *, stays: bool
    ) -> Change:
        """What there is to say of a stack that was changed."""
        where = entries.where("stacks", old.name)
        if stays:
            return Change(_what(old), "updated", entries.path, where, remarks=(STAYS,))
        undo = undoing.stack_update(old, new, self.places.flag(entries.path))
        remarks = self.places.kept(entries.path, undoing.secrets_not_brought_back(old, new))
        return Change(_what(old), "updated", entries.path, where, undo, remarks)

    def delete_stack(self, name: str, *, recursive: bool = False) -> list[Change]:
        """Take a stack out; with `recursive` also the components that no other stack has.

        Components come first, so that the lines that undo it can be typed in this order. Raises
        `StackError` if something is up that only this stack has.
        """
        path = self.places.of_stack(name)
        was_active, choosing = self.registry.choice.name == name, list(self._choosing(name))
        with self.places.entries(path) as entries:
            spec = entries.stack(name)
            gone, stay = entries.removable(spec) if recursive else ([], [])
            entries.remove_stack(spec)
            for each in gone:
                entries.remove_component(each)
        said = (*stay, *self._left(name, was_active=was_active))
        again = [line for line in choosing if line not in self._choosing(name)]
        undo = " && ".join([undoing.stack_registration(spec) + self.places.flag(path), *again])
        said += self.places.kept(path, undoing.secrets_left_out(spec))
        deleted = Change(_what(spec), "deleted", path, self.places.shown(path), undo, said)
        return [*(self._deleted(entries, each) for each in gone), deleted]

    def set_default(self, name: str | None) -> Change:
        """Make a stack the one that a file says is active: the team's default; with None, none."""
        path = self.places.default
        with self.places.entries(path) as entries:
            if name is not None:
                self._check_default(name, entries.file)
            old = entries.file.active
            entries.set_active(name)
        undo = "" if old == name else f"penstock stack set {old or '--unset'} --project"
        if name is None:
            where = self.places.shown(path)
            return Change(f"active: {old or 'nothing'}", "deleted", path, where, undo)
        where = entries.where("active")
        return Change(f"stack {name}", "active", path, where, undo, self._overridden(name))

    def register_flavor(self, category: str, name: str, target: str) -> Change:
        """Write down a flavor of one's own, `package.module:Class`, which is imported now."""
        with self.places.entries(self.file) as entries:
            entries.add_flavor(category, name, target)
        return self.registered_flavor(entries, category, name)

    def registered_flavor(self, entries: Entries, category: str, name: str) -> Change:
        """What there is to say of a flavor that was written down."""
        what, where = f"{spoken(category)} flavor {name}", entries.where("flavors", category, name)
        undo = f"penstock {category} flavor delete {name}{self.places.flag(entries.path)}"
        return Change(what, "registered", entries.path, where, undo)

    def delete_flavor(self, category: str, name: str) -> Change:
        """Take a flavor of one's own out. Raises `StackError` if a component is of it."""
        path = self.places.of_flavor(category, name)
        with self.places.entries(path) as entries:
            target = entries.remove_flavor(category, name)
        undo = f"penstock {category} flavor register {target}{self.places.flag(path)}"
        what = f"{spoken(category)} flavor {name}"
        return Change(what, "deleted", path, self.places.shown(path), undo)

    def _choosing(self, name: str) -> Iterator[str]:
        """The lines that have made a stack the project's default, and this checkout's choice."""
        project = self.registry.project
        if any(file.path == project.file and file.active == name for file in self.registry.files):
            yield f"penstock stack set {name} --project"
        if project.active == name:
            yield f"penstock stack set {name}"

    def _deleted(self, entries: Entries, spec: ComponentSpec) -> Change:
        path, own = entries.path, entries.file.flavors
        undo = undoing.component_registration(spec, own, self.places.flag(path))
        remarks = self.places.kept(path, undoing.left_out(spec, own))
        return Change(_what(spec), "deleted", path, self.places.shown(path), undo, remarks)

    def _left(self, name: str, *, was_active: bool) -> tuple[str, ...]:
        """What is active now that a stack is gone, if that was."""
        project = self.registry.project
        if project.active == name and name not in self.registry.stacks():
            project.unchoose()
        if not was_active:
            return ()
        try:
            choice = self.registry.active()
        except UnknownStack as error:
            return (f"No stack is active now. {' '.join(str(error).splitlines())}",)
        return (f"Now active: {choice.name} ({choice.origin}).",)

    def _check_default(self, name: str, file: Configuration) -> None:
        """A team's default is in the team's file."""
        known = (DEFAULT, *file.stacks)
        if name not in known and (there := self.registry.stacks().get(name)):
            raise StackError(
                f"The stack {name!r} ({there.where}) is not in the project's file, so nobody else "
                "would know it.",
                hint=f"For this checkout alone, type: penstock stack set {name}",
            )
        if name not in known:
            raise unknown(StackChoice(name, ASKED), known, self.registry.project)

    def _overridden(self, name: str) -> tuple[str, ...]:
        choice = self.registry.choice
        if choice.name == name:
            return ()
        return (f"Here {choice.name} stays active ({choice.origin}).",)


def _what(spec: ComponentSpec | StackSpec) -> str:
    kind = spoken(spec.category) if isinstance(spec, ComponentSpec) else "stack"
    return f"{kind} {spec.name}"
