"""The sections of a penstock.yaml: each checked against what it may hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from penstock.errors import did_you_mean, listed
from penstock.model.component import CATEGORIES
from penstock.stack import flavor, secrets
from penstock.stack.complaints import Complaints
from penstock.stack.component import ComponentSpec, spoken
from penstock.stack.configuration import (
    DEFAULT,
    ONE,
    SECTIONS,
    SEVERAL,
    Configuration,
    StackSpec,
)
from penstock.stack.nodes import Node
from penstock.stack.shape import Shape, found_in
from penstock.stack.step_section import step_section

KEYS: Final = ("active", *SECTIONS, "flavors", "stacks")
STACK_KEYS: Final = (*ONE, *SEVERAL, "steps", "secrets")


class Sections:
    """Reads nodes into a `Configuration`; what does not fit becomes a complaint."""

    def __init__(self, path: Path, complaints: Complaints) -> None:
        self._path = path
        self._complaints = complaints
        self._shape = Shape(complaints)

    def configuration(self, root: Node) -> Configuration:
        """The whole file, as far as it makes sense."""
        top = self._shape.mapping(root, "This file", KEYS)
        flavors = self._flavors(top.get("flavors"))
        components = {
            (category, name): spec
            for section, category in SECTIONS.items()
            for name, spec in self._components(top.get(section), section, category).items()
        }
        known = {
            category: [name for kind, name in components if kind == category]
            for category in CATEGORIES
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
        )

    def _flavors(self, node: Node | None) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for category, section in self._shape.mapping(node, "flavors", CATEGORIES).items():
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

    def _components(
        self, node: Node | None, section: str, category: str
    ) -> dict[str, ComponentSpec]:
        found = {}
        for name, entry in self._shape.named(
            node, section, reserved=category in ONE.values()
        ).items():
            what = f"The {spoken(category)} {name!r}"
            options = self._shape.mapping(entry, what, example="{flavor: …}")
            kind = options.pop("flavor", None)
            if kind is None and isinstance(entry.value, dict | None):
                self._shape.at_key(entry, f"{what} needs the key 'flavor'.")
            if "name" in options:
                self._shape.at_key(options["name"], f"{what} has its name already: {name!r}.")
            found[name] = ComponentSpec(
                category,
                name,
                (kind and self._shape.name(kind, "flavor")) or "",
                {option: value.plain() for option, value in options.items()},
                self._complaints.where(entry.key_at),
                {option: self._complaints.where(value.at) for option, value in options.items()},
            )
        return found

    def _stack(self, name: str, node: Node, known: Mapping[str, list[str]]) -> StackSpec:
        what = f"The stack {name!r}"
        entry = self._shape.mapping(node, what, STACK_KEYS)
        found: dict[str, Any] = {}
        for key, category in ONE.items():
            if key in entry:
                found[key] = self._component(entry[key], what, category, known[category]) or ""
            elif isinstance(node.value, dict | None):
                text = f"{what} needs the key {key!r}; write `{key}: default` for the built-in one."
                self._shape.at_key(node, text)
        for key, category in SEVERAL.items():
            found[key] = tuple(
                self._component(item, what, category, known[category]) or ""
                for item in self._shape.items(entry.get(key), f"{what}: {key}")
            )
        found["steps"] = {
            step: self._step(f"{what}, step {step!r}", options, found["step_operators"])
            for step, options in self._shape.named(entry.get("steps"), f"{what}: steps").items()
        }
        found |= self._secrets(f"{what}: secrets", entry.get("secrets"))
        return StackSpec(name, **found, where=self._complaints.where(node.key_at))

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
