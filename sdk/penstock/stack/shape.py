"""The shape of a node: a mapping, a list, a name; what is not so becomes a complaint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from penstock.errors import did_you_mean, listed
from penstock.model.names import ALLOWED, offered
from penstock.model.options import called_here
from penstock.stack.complaints import Complaints
from penstock.stack.configuration import DEFAULT
from penstock.stack.nodes import BROKEN, Node

RULE: Final = (
    "A name is 1 to 128 letters, digits, '_', '-' or '.', and begins with a letter, a digit or '_'."
)

_KINDS: Final = {dict: "a mapping", list: "a list", str: "text", bool: "true or false"}


class Shape:
    """Takes nodes apart. What it cannot use it complains of and leaves out."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints

    def named(self, node: Node | None, what: str, *, reserved: bool = False) -> dict[str, Node]:
        """A mapping whose keys are the user's names."""
        found: dict[str, Node] = {}
        folded: dict[str, str] = {DEFAULT: DEFAULT} if reserved else {}
        for name, entry in self.mapping(node, what).items():
            other = folded.setdefault(name.lower(), name)
            if name == other == DEFAULT and reserved:
                self.at_key(entry, f"{what}: {name!r} is built in; choose another name.")
            elif name != other:
                text = f"{what}: the names {other!r} and {name!r} differ only by case."
                self.at_key(entry, text)
            elif not ALLOWED.fullmatch(name):
                self.at_key(entry, f"{what}: {_no_name(name)}")
            else:
                found[name] = entry
        return found

    def mapping(
        self,
        node: Node | None,
        what: str,
        known: Iterable[str] | None = None,
        example: str = "{…: …}",
    ) -> dict[str, Node]:
        if node is None or node.value in (None, BROKEN):  # None: a heading with nothing below it
            return {}
        if not isinstance(node.value, dict):
            self.at_value(node, f"{what} must be a mapping, {example}; this is {found_in(node)}.")
            return {}
        found = dict(node.value)
        for key in [key for key in found if known is not None and key not in known]:
            names = list(known or ())
            hint = called_here(key, names) or did_you_mean(key, names)
            rest = hint or f"Keys: {listed(names)}."
            self.at_key(found.pop(key), f"There is no key {key!r} here. {rest}")
        return found

    def items(self, node: Node | None, what: str) -> list[Node]:
        if node is None or node.value in (None, BROKEN):
            return []
        if isinstance(node.value, list):
            return node.value
        self.at_value(node, f"{what} must be a list, [name, name]; this is {found_in(node)}.")
        return []

    def name(self, node: Node, what: str) -> str | None:
        if node.value is BROKEN:
            return None
        if not isinstance(node.value, str):
            self.at_value(node, f"{what} must be a name, which is text; this is {found_in(node)}.")
            return None
        if not ALLOWED.fullmatch(node.value):
            self.at_value(node, f"{what}: {_no_name(node.value)}")
            return None
        return node.value

    def at_value(self, node: Node, text: str) -> None:
        self._complaints.add(node.at, text)

    def at_key(self, node: Node, text: str) -> None:
        self._complaints.add(node.key_at, text)


def found_in(node: Node) -> str:
    """What a node holds, in words."""
    if node.value is None:
        return "empty"
    kind = _KINDS.get(type(node.value), "a number")
    return kind if isinstance(node.value, dict | list) else f"{kind}, {node.value!r}"


def _no_name(name: str) -> str:
    return f"{name!r} cannot be a name. {RULE} For example: {offered(name)!r}."
