"""What may be registered: every reason why something may not, told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from penstock.errors import (
    BadConfiguration,
    NameTaken,
    StackError,
    UnknownComponent,
    did_you_mean,
    listed,
)
from penstock.model.names import ALLOWED, offered
from penstock.model.references import REFERENCE
from penstock.stack import categories, making, secrets, steps
from penstock.stack.complaints import shown
from penstock.stack.component import ComponentSpec, a, spoken
from penstock.stack.configuration import BUILT_IN, DEFAULT, ONE, Configuration, StackSpec
from penstock.stack.flavor import BUILT_IN as OURS
from penstock.stack.flavor import Flavor
from penstock.stack.masked import written_out
from penstock.stack.registry import Registry
from penstock.stack.shape import RULE

REFERENCES: Final = "Write ${env:NAME} or ${file:PATH} there, and the secret itself elsewhere."


class Acceptance:
    """For one file; what stands in the others counts only where names would differ by case."""

    def __init__(self, registry: Registry, path: Path) -> None:
        files = registry.files
        self._file = next((each for each in files if each.path == path), Configuration(path))
        self._others = [each for each in files if each.path != path]

    def new_component(self, spec: ComponentSpec) -> None:
        """Raise what is wrong with a component that is to be registered."""
        problems = list(self._component_name(spec.category, spec.name))
        # A component complains of its name, too: the options are tried under one that would do.
        named = spec if ALLOWED.fullmatch(spec.name) else replace(spec, name=offered(spec.name))
        _raise([*problems, *self._component(named, spec.options)], _who(spec))

    def new_name(self, what: str, name: str) -> None:
        """Raise what is wrong with the name alone; `what` is a category or `stack`."""
        found = self._stack_name(name) if what == "stack" else self._component_name(what, name)
        _raise(list(found), f"The {spoken(what)} {name!r}")

    def changed_component(self, spec: ComponentSpec, changed: Mapping[str, Any]) -> None:
        """Raise what is wrong with one that is there, of whose options these were `changed`."""
        _raise(list(self._component(spec, changed)), _who(spec))

    def new_stack(self, spec: StackSpec) -> None:
        """Raise what is wrong with a stack that is to be registered."""
        problems = list(self._stack_name(spec.name))
        _raise([*problems, *self._stack(spec, spec.secrets)], f"The stack {spec.name!r}")

    def changed_stack(self, spec: StackSpec, old: StackSpec) -> None:
        """Raise what is wrong with one that is there. A secret that was written out stays so."""
        new = {key: text for key, text in spec.secrets.items() if old.secrets.get(key) != text}
        _raise(list(self._stack(spec, new)), f"The stack {spec.name!r}")

    def new_flavor(self, category: str, name: str, target: str) -> None:
        """Raise what is wrong with a flavor of the project's own; its class is imported."""
        categories.find(category)
        where = f"{shown(self._file.path)}: flavors" if self._file.path else ""
        own = {(self._file.path, each): where for each in self._file.flavors.get(category, {})}
        problems = list(self._name(f"{category} flavor", name, own, reserved=False))
        if name in OURS.get(category, {}):
            problems.append(NameTaken(f"The {spoken(category)} flavor {name!r} is built in."))
        _raise(problems, f"The {spoken(category)} flavor {name!r}")
        if not all(target.partition(":")):
            raise BadConfiguration(f"{target!r} is no class.", hint="Write package.module:Class.")
        Flavor(category, name, target).load()

    def _component_name(self, category: str, name: str) -> Iterator[StackError]:
        categories.find(category)
        taken = {
            (file.path, each.name): each.where
            for file in (self._file, *self._others)
            for each in file.components
            if each.category == category
        }
        return self._name(category, name, taken, reserved=category in ONE.values())

    def _stack_name(self, name: str) -> Iterator[StackError]:
        taken = {
            (file.path, each.name): each.where
            for file in (self._file, *self._others)
            for each in file.stacks.values()
        }
        return self._name("stack", name, taken, reserved=True)

    def _name(
        self, what: str, name: str, taken: Mapping[tuple[Path | None, str], str], *, reserved: bool
    ) -> Iterator[StackError]:
        kind = spoken(what)
        if not ALLOWED.fullmatch(name):
            yield BadConfiguration(
                f"{name!r} cannot be the name of {a(what)}. {RULE}",
                hint=f"Take {offered(name)!r}, for example.",
            )
        elif reserved and name.lower() == DEFAULT:
            yield NameTaken(f"The {kind} {DEFAULT!r} is built in.", hint="Choose another name.")
        elif where := taken.get((self._file.path, name)):
            yield NameTaken(
                f"The {kind} name {name!r} is taken: {where}.",
                hint=_instead(what, name),
            )
        for (_, other), where in taken.items():
            if other != name and other.lower() == name.lower():
                yield NameTaken(
                    f"The {kind} name {name!r} differs from {other!r} ({where}) only by case.",
                    hint="Choose another name.",
                )

    def _component(self, spec: ComponentSpec, new: Mapping[str, Any]) -> Iterator[StackError]:
        own = self._file.flavors  # of the same file, so that whoever has it has all of it
        try:
            making.check(spec, own)
        except StackError as error:
            yield from error.problems or (error,)
        for option in written_out(replace(spec, options=new), own):
            yield BadConfiguration(
                f"{spec.where}: {spoken(spec.category)} {spec.name!r}, option {option!r}: a secret "
                "is not written into a file.",
                hint=REFERENCES,
            )

    def _stack(self, spec: StackSpec, new: Mapping[str, str]) -> Iterator[StackError]:
        for category, names in _by_category(spec).items():
            yield from self._used(category, names)
        yield from _steps(spec)
        for _, text in secrets.complaints(spec.secrets):
            yield BadConfiguration(f"{text[0].upper()}{text[1:]}")
        for name, text in new.items():
            if text and not REFERENCE.fullmatch(text):
                yield BadConfiguration(
                    f"The secret {name!r} is written out, and a secret is not written into a file.",
                    hint=REFERENCES,
                )

    def _used(self, category: str, names: list[str]) -> Iterator[StackError]:
        """A stack finds its components in its own file."""
        known = [
            each.name
            for file in (BUILT_IN, self._file)
            for each in file.components
            if each.category == category
        ]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                yield BadConfiguration(f"The {spoken(category)} {name!r} is there twice.")
            if name not in known:
                yield self._missing(category, name, known)

    def _missing(self, category: str, name: str, known: list[str]) -> StackError:
        elsewhere = next(
            (
                each.where
                for file in self._others
                for each in file.components
                if (each.category, each.name) == (category, name)
            ),
            None,
        )
        here = shown(self._file.path) if self._file.path else ""
        if elsewhere:
            return UnknownComponent(
                f"The {spoken(category)} {name!r} is in another file ({elsewhere}); a stack and "
                f"its components stand in one, here {here}.",
                hint=f"Register it there as well: penstock {category} register {name} …",
            )
        near = did_you_mean(name, known)
        line = f"To register it, type: penstock {category} register {name or 'NAME'} --flavor=…"
        return UnknownComponent(
            f"There is no {spoken(category)} {name!r}. There are: {listed(known)}.",
            hint=f"{near} {line}" if near else line,
        )


def _by_category(spec: StackSpec) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for category, name in spec.names():
        found.setdefault(category, []).append(name)
    return found


def _steps(spec: StackSpec) -> Iterator[StackError]:
    for step, written in spec.steps.items():
        if not ALLOWED.fullmatch(step):
            yield BadConfiguration(f"{step!r} cannot be the name of a step. {RULE}")
        for _, text in steps.complaints(written):
            yield BadConfiguration(f"Step {step!r}: {text}")
        operator = written.get("step_operator")
        if isinstance(operator, str) and operator not in spec.step_operators:
            yield UnknownComponent(
                f"Step {step!r}: {operator!r} is not among the stack's step operators; there are: "
                f"{listed(spec.step_operators)}."
            )


def _instead(what: str, name: str) -> str:
    if what.endswith(" flavor"):
        category = what.removesuffix(" flavor")
        return f"To be rid of it, type: penstock {category} flavor delete {name}"
    return f"Choose another name, or change that one: penstock {what} update {name} …"


def _who(spec: ComponentSpec) -> str:
    return f"The {spoken(spec.category)} {spec.name!r}"


def _raise(problems: list[StackError], what: str) -> None:
    if problems:
        raise making.together(problems, what)
