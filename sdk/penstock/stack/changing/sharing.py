"""A stack as a text of its own, to be given to somebody: with its components, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.errors import BadConfiguration, NameTaken, StackError
from penstock.model.references import REFERENCE
from penstock.stack import categories, parsing
from penstock.stack.changing.acceptance import REFERENCES
from penstock.stack.changing.change import Change
from penstock.stack.changing.changes import Changes
from penstock.stack.changing.document import Document
from penstock.stack.changing.entries import Entries
from penstock.stack.choice import ASKED, StackChoice, unknown
from penstock.stack.component import ComponentSpec, spoken
from penstock.stack.configuration import DEFAULT, Configuration, StackSpec
from penstock.stack.making import together
from penstock.stack.masked import written_out
from penstock.stack.registered import Registered
from penstock.stack.registry import Registry


@dataclass(frozen=True, slots=True)
class Shared:
    """Stacks and components that somebody has given to us, as data."""

    configuration: Configuration

    @classmethod
    def read(cls, text: str, where: str) -> Shared:
        """From the text that `export` has made; `where` it is from. Raises `BadConfiguration`."""
        found = parsing.configuration(Path(where), text)
        if not (found.stacks or found.components or found.flavors):
            raise BadConfiguration(
                f"{where} has no stack.", hint="Type: penstock stack export NAME -o FILE"
            )
        return cls(found)

    @property
    def references(self) -> tuple[tuple[str, str], ...]:
        """What it asks the machine for that uses it: where it is written, and the reference."""
        found = [
            (each.at.get(option, each.where), reference)
            for each in self.configuration.components
            for option, value in each.options.items()
            for reference in _references(value)
        ]
        return (*found, *(
            (stack.places.get(name, stack.where), text)
            for stack in self.configuration.stacks.values()
            for name, text in stack.secrets.items()
        ))  # fmt: skip

    @property
    def flavors(self) -> tuple[tuple[str, str, str], ...]:
        """The classes that it names: category, flavor, `package.module:Class`. Whoever uses such a
        flavor imports its class."""
        return tuple(
            (category, name, target)
            for category, found in self.configuration.flavors.items()
            for name, target in found.items()
        )


def export(registry: Registry, name: str) -> str:
    """One stack as the text of a penstock.yaml. References stay as they are written.

    Raises `BadConfiguration` if a secret is written out in it.
    """
    registry = Registry(registry.project, Registered())  # what a file says
    known = registry.stacks()
    if name not in known:
        raise unknown(StackChoice(name, ASKED), known, registry.project)
    if name == DEFAULT:
        raise StackError("The stack 'default' is built in: everybody has it.")
    stack, specs, own = known[name], registry.specs(name), registry.flavors
    if problems := list(_literals(stack, specs, registry)):
        raise together(problems, f"The stack {name!r}")
    document = Document("", Path(f"{name}.yaml"))
    for spec in specs:
        if target := own.get(spec.category, {}).get(spec.flavor):
            document.put_flavor(spec.category, spec.flavor, target)
        if spec.name != DEFAULT:
            section = categories.section_of(spec.category)
            document.put(section, spec.name, spec.entry())
    document.put("stacks", name, stack.entry())
    return document.text


def import_(changes: Changes, text: str, where: str) -> list[Change]:
    """Register all that a text has and that is not here yet. Raises `NameTaken` if something
    different is here under one of the names, of all of them at once."""
    found = Shared.read(text, where).configuration
    with changes.places.entries(changes.file) as entries:
        if taken := list(_taken(found, entries.file)):
            raise together(taken, where)
        new = _new(found, entries.file)
        for category, name, target in Shared(new).flavors:
            entries.add_flavor(category, name, target)
        for spec in new.components:
            entries.add_component(spec)
        for stack in new.stacks.values():
            entries.add_stack(stack)
    return list(_told(changes, entries, new))


def _new(found: Configuration, here: Configuration) -> Configuration:
    """What is not here yet."""
    there = {(each.category, each.name) for each in here.components}
    return Configuration(
        found.path,
        components=tuple(
            each for each in found.components if (each.category, each.name) not in there
        ),
        stacks={name: each for name, each in found.stacks.items() if name not in here.stacks},
        flavors={
            category: {
                name: target
                for name, target in flavors.items()
                if name not in here.flavors.get(category, {})
            }
            for category, flavors in found.flavors.items()
        },
    )


def _taken(found: Configuration, here: Configuration) -> Iterator[StackError]:
    """What is here already, and is something else."""
    there = {(each.category, each.name): each for each in here.components}
    for each in found.components:
        other = there.get((each.category, each.name))
        if other is not None and other != each:
            yield _differs(f"{spoken(each.category)} {each.name!r}", each.where, other.where)
    for name, stack in found.stacks.items():
        if name in here.stacks and here.stacks[name] != stack:
            yield _differs(f"stack {name!r}", stack.where, here.stacks[name].where)
    for category, flavors in found.flavors.items():
        for name, target in flavors.items():
            other_target = here.flavors.get(category, {}).get(name, target)
            if other_target != target:
                what = f"{spoken(category)} flavor {name!r}"
                yield _differs(what, target, other_target)


def _differs(what: str, new: str, there: str) -> NameTaken:
    return NameTaken(f"{new}: the {what} is another one here ({there}).",
                     hint="Give one of the two another name.")  # fmt: skip


def _told(changes: Changes, entries: Entries, new: Configuration) -> Iterator[Change]:
    for category, name, _ in Shared(new).flavors:
        yield changes.registered_flavor(entries, category, name)
    for spec in new.components:
        yield changes.registered(entries, spec)
    for stack in new.stacks.values():
        yield changes.registered_stack(entries, stack)


def _literals(
    stack: StackSpec, specs: tuple[ComponentSpec, ...], registry: Registry
) -> Iterator[StackError]:
    for spec in specs:
        for option in written_out(spec, registry.flavors):
            yield BadConfiguration(
                f"{spec.at.get(option, spec.where)}: {spoken(spec.category)} {spec.name!r} has a "
                f"secret written out in {option!r}, and a secret is not given away.",
                hint=REFERENCES,
            )
    for name, text in stack.secrets.items():
        if not REFERENCE.fullmatch(text):
            yield BadConfiguration(
                f"{stack.places.get(name, stack.where)}: the secret {name!r} is written out, and a "
                "secret is not given away.",
                hint=REFERENCES,
            )


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)
    elif isinstance(value, str):
        yield from (match[0] for match in REFERENCE.finditer(value))
