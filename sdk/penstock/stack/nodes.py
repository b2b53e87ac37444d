"""YAML text as nodes that know where they stand. Only data: no tag ever makes an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from penstock.stack import not_yaml, usual_yaml
from penstock.stack.complaints import At, Complaints

MOST_ALIASED: Final = 10_000
"""Nodes that aliases may add. A file of a few lines can ask for billions."""

BROKEN: Final = object()
"""The value of a node that was complained of already."""

_TAG: Final = "tag:yaml.org,2002:"
_PLAIN_TAGS: Final = {"str", "int", "float", "bool", "null", "map", "seq", "timestamp"}


@dataclass(frozen=True, slots=True)
class Node:
    """A value in the file."""

    value: Any
    """A scalar, a list of nodes, or a dict from texts to nodes."""
    at: At
    key_at: At
    """Where its key stands; like `at` if it has none."""

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        return self.value

    @property
    def is_broken(self) -> bool:
        """Whether something in here was complained of already."""
        if isinstance(self.value, dict):
            return any(item.is_broken for item in self.value.values())
        if isinstance(self.value, list):
            return any(item.is_broken for item in self.value)
        return self.value is BROKEN


def parse(text: str, complaints: Complaints) -> Node | None:
    """The document, or None if there is none or it cannot be read as one."""
    return composed(text, complaints)[0]


def composed(text: str, complaints: Complaints) -> tuple[Node | None, Any]:
    """The document, and what it was read from: nodes that know where each of them ends."""
    try:
        root = usual_yaml.compose(text)
        reader = _Reader(usual_yaml.Scalars(), complaints)
        return reader.node(root) if root else None, root
    except usual_yaml.Unusual:
        return by_library(text, complaints)


def by_library(text: str, complaints: Complaints) -> tuple[Node | None, Any]:
    """The same of any text, as ruamel reads it."""
    from ruamel.yaml import YAML  # 24 ms, and only where a file is not written as usual
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False  # legal YAML: the later one counts
    try:
        root = yaml.compose(text)
        return (root and _Reader(yaml.constructor, complaints).node(root)), root
    except _TooMuch as error:
        complaints.add(error.at, str(error))
    except RecursionError:
        complaints.add((1, 1), "This is nested too deeply.")
    except YAMLError as error:
        not_yaml.explain(error, text, complaints)
    except Exception as error:  # ruamel's parser has untidy corners: KeyError, AttributeError, …
        complaints.add((1, 1), f"This cannot be read as YAML: {type(error).__name__}: {error}.")
    return None, None


class _TooMuch(Exception):
    def __init__(self, at: At, text: str) -> None:
        super().__init__(text)
        self.at = at


class _Reader:
    """Turns ruamel's nodes, or ours that look like them, into what is used. Of a constructor, only
    scalars of plain types are used."""

    def __init__(self, constructor: Any, complaints: Complaints) -> None:
        self._constructor = constructor
        self._complaints = complaints
        self._seen: set[int] = set()
        self._above: set[int] = set()
        self._again = 0

    def node(self, raw: Any, key_at: At | None = None) -> Node:
        at = not_yaml.at(raw.start_mark)
        self._count(raw, at)
        tag = str(raw.tag).removeprefix(_TAG)
        if tag not in _PLAIN_TAGS:
            self._complaints.add(at, f"The YAML tag {raw.tag} is not allowed: only plain data is.")
            return Node(BROKEN, at, key_at or at)
        self._above.add(id(raw))
        if raw.id == "mapping":
            value: Any = self._mapping(raw)
        elif raw.id == "sequence":
            value = [self.node(item) for item in raw.value]
        else:
            value = self._scalar(raw, tag, at)
        self._above.discard(id(raw))
        return Node(value, at, key_at or at)

    def _count(self, raw: Any, at: At) -> None:
        if id(raw) in self._above:
            raise _TooMuch(at, "This contains itself, through an alias.")
        self._again += id(raw) in self._seen
        self._seen.add(id(raw))
        if self._again > MOST_ALIASED:
            raise _TooMuch(at, f"Aliases add more than {MOST_ALIASED:,} values to this file.")

    def _mapping(self, raw: Any) -> dict[str, Node]:
        found: dict[str, Node] = {}
        merged: list[Any] = []
        for key, item in raw.value:
            at = not_yaml.at(key.start_mark)
            if str(key.tag) == f"{_TAG}merge":
                merged += item.value if item.id == "sequence" else [item]
                continue
            node = self.node(item, at)
            if _is_empty(item):
                node = Node(node.value, not_yaml.at(key.end_mark), at)
            if str(key.tag) != f"{_TAG}str":
                self._complaints.add(at, "A key must be text.", _quote(key))
            elif key.value in found:
                first = self._complaints.where(found[key.value].key_at)
                self._complaints.add(at, f"The key {key.value!r} is here twice; first at {first}.")
            else:
                found[key.value] = node
        for item in merged:
            self._merge(found, item)
        return found

    def _merge(self, found: dict[str, Node], raw: Any) -> None:
        """`<<: *other`: what is there already wins."""
        node = self.node(raw)
        if isinstance(node.value, dict):
            for key, item in node.value.items():
                found.setdefault(key, item)
        else:
            self._complaints.add(node.at, "Only a mapping can be merged with '<<'.")

    def _scalar(self, raw: Any, tag: str, at: At) -> Any:
        if tag in ("str", "timestamp"):  # a date is text until somebody asks for one
            return raw.value
        try:
            return getattr(self._constructor, f"construct_yaml_{tag}")(raw)
        except (ValueError, LookupError, AttributeError):
            self._complaints.add(at, f"{raw.value!r} is not of the YAML type {tag!r}.")
            return BROKEN


def _is_empty(raw: Any) -> bool:
    """Whether nothing is written there. ruamel points at what comes next, lines below."""
    return bool(raw.id == "scalar" and raw.start_mark.index == raw.end_mark.index)


def _quote(key: Any) -> str | None:
    return f'Put it in quotes: "{key.value}".' if isinstance(key.value, str) else None
