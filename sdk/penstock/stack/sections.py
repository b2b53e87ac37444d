"""The sections of a penstock.yaml: each checked against what it may hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.errors import did_you_mean, listed
from penstock.stack import flavor, secrets, vocabulary
from penstock.stack.categories import KNOWN, Category
from penstock.stack.complaints import Complaints
from penstock.stack.component import ComponentSpec, spoken
from penstock.stack.configuration import DEFAULT, ONE, Configuration, StackSpec
from penstock.stack.nodes import Node
from penstock.stack.shape import Shape, found_in
from penstock.stack.step_section import step_section
from penstock.stack.vocabulary import Kinds


class Sections:
    """Reads nodes into a `Configuration`; what does not fit becomes a complaint."""

    def __init__(self, path: Path, complaints: Complaints) -> None:
        self._path = path
        self._complaints = complaints
        self._shape = Shape(complaints)
        self._kinds: Kinds = KNOWN

    def configuration(self, root: Node) -> Configuration:
        """The whole file, as far as it makes sense."""
        self._kinds = vocabulary.kinds_of(root)
        absent = vocabulary.absent(root, self._kinds)
        self._kinds = {**self._kinds, **absent}
        top = self._shape.mapping(root, "This file", vocabulary.keys(self._kinds))
        flavors = self._flavors(top.get("flavors"))
        components = {
            (kind.name, name): spec
            for kind in self._kinds.values()
            for name, spec in self._components(top.get(kind.section), kind).items()
        }
        known = {
            category: [name for kind, name in components if kind == category]
            for category in self._kinds
        }
        for category in ONE.values():
            known[category].insert(0, DEFAULT)
        stacks = {
            name: self._stack(name, node, known)
            for name, node in self._shape.named(top.get("stacks"), "stacks", reserved=True).items()
        }
        active = top.get("active")
        return Configuration(
            self._path,
            self._shape.name(active, "active") if active and active.value is not None else None,
            self._complaints.where(active.key_at).rpartition(":")[0] if active else "",
            tuple(components.values()),
            stacks,
            flavors,
            tuple(self._remark(kind, root) for kind in absent.values() if kind.name not in flavors),
        )

    def _remark(self, kind: Category, root: Node) -> str:
        """On a category that nobody brings here."""
        where = self._complaints.where(root.value[kind.section].key_at)
        return (
            f"{where}: No package that is installed here brings flavors of the category "
            f"{kind.name!r}; stacks with a component of it cannot be used."
        )

    def _flavors(self, node: Node | None) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for category, section in self._shape.mapping(node, "flavors", self._kinds).items():
            found[category] = {}
            for name, target in self._shape.named(section, f"flavors: {category}").items():
                text = target.value
                if not isinstance(text, str) or not all(text.partition(":")):
                    self._shape.at_value(
                        target, f'{found_in(target)} is no class; write "package.module:Class".'
                    )
                elif name in flavor.BUILT_IN.get(category, {}):
                    self._shape.at_key(
                        target, f"The flavor {name!r} is built in; choose another name."
                    )
                else:
                    found[category][name] = text
        return found

    def _components(self, node: Node | None, kind: Category) -> dict[str, ComponentSpec]:
        found = {}
        for name, entry in self._shape.named(node, kind.section, reserved=kind.one).items():
            what = f"The {spoken(kind.name)} {name!r}"
            options = self._shape.mapping(entry, what, example="{flavor: …}")
            written = options.pop("flavor", None)
            if written is None and isinstance(entry.value, dict | None):
                self._shape.at_key(entry, f"{what} needs the key 'flavor'.")
            if "name" in options:
                self._shape.at_key(options["name"], f"{what} has its name already: {name!r}.")
            found[name] = ComponentSpec(
                kind.name,
                name,
                (written and self._shape.name(written, "flavor")) or "",
                {option: value.plain() for option, value in options.items()},
                self._complaints.where(entry.key_at),
                {option: self._complaints.where(value.at) for option, value in options.items()},
            )
        return found

    def _stack(self, name: str, node: Node, known: Mapping[str, list[str]]) -> StackSpec:
        what = f"The stack {name!r}"
        entry = self._shape.mapping(node, what, vocabulary.stack_keys(self._kinds))
        found: dict[str, Any] = {}
        more: dict[str, tuple[str, ...]] = {}
        for key, category in ONE.items():
            if key in entry:
                found[key] = self._component(entry[key], what, category, known[category]) or ""
            elif isinstance(node.value, dict | None):
                text = f"{what} needs the key {key!r}; write `{key}: default` for the built-in one."
                self._shape.at_key(node, text)
        for kind in self._kinds.values():
            if kind.one:
                continue
            names = tuple(
                self._component(item, what, kind.name, known[kind.name]) or ""
                for item in self._shape.items(entry.get(kind.key), f"{what}: {kind.key}")
            )
            if kind.name in KNOWN:
                found[kind.key] = names
            elif names:
                more[kind.name] = names
        found["steps"] = {
            step: self._step(f"{what}, step {step!r}", options, found["step_operators"])
            for step, options in self._shape.named(entry.get("steps"), f"{what}: steps").items()
        }
        found |= self._secrets(f"{what}: secrets", entry.get("secrets"))
        return StackSpec(name, **found, more=more, where=self._complaints.where(node.key_at))

    def _secrets(self, what: str, node: Node | None) -> dict[str, dict[str, str]]:
        found = {
            name: item
            for name, item in self._shape.mapping(node, what).items()
            if not item.is_broken
        }
        written = {name: item.plain() for name, item in found.items()}
        wrong = dict(secrets.complaints(written))
        for name, text in wrong.items():
            say = self._shape.at_value if secrets.is_name(name) else self._shape.at_key
            say(found[name], f"{what}: {text}")
        return {
            "secrets": {name: text for name, text in written.items() if name not in wrong},
            "places": {name: self._complaints.where(item.key_at) for name, item in found.items()},
        }

    def _component(self, node: Node, what: str, category: str, known: list[str]) -> str | None:
        name = self._shape.name(node, category)
        if name is not None and name not in known:
            text = f"{what} names the {spoken(category)} {name!r}, which is not in this file"
            near = did_you_mean(name, known) or ""
            self._shape.at_value(node, f"{text}; there are: {listed(known)}. {near}".rstrip())
        return name

    def _step(self, what: str, node: Node, operators: Iterable[str]) -> dict[str, Any]:
        written = step_section(node, what, self._shape)
        operator = written.get("step_operator")
        if isinstance(operator, str) and operator not in operators:
            text = f"{what}: {operator!r} is not among the stack's step operators"
            self._shape.at_value(
                node.value["step_operator"], f"{text}; there are: {listed(operators)}."
            )
        return written
