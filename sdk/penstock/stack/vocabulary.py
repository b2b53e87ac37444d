"""The keys that a penstock.yaml may have, which depend on the categories that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from penstock.errors import did_you_mean
from penstock.stack.categories import KNOWN, Category, categories, is_section, name_of
from penstock.stack.nodes import Node

Kinds = Mapping[str, Category]


def keys(kinds: Kinds) -> tuple[str, ...]:
    """Of the file itself."""
    return ("active", *(each.section for each in kinds.values()), "flavors", "stacks")


def stack_keys(kinds: Kinds) -> tuple[str, ...]:
    """Of a stack in it."""
    return (*(each.key for each in kinds.values()), "steps", "secrets")


def kinds_of(root: Node) -> Kinds:
    """The categories that a file may speak of.

    What packages bring is asked for only if there is a key that is none of ours: it takes a look
    at everything that is installed.
    """
    top = _below(root)
    ours = (
        _are([root], keys(KNOWN))
        and _are([top["flavors"]] if "flavors" in top else [], KNOWN)
        and _are(_below(top.get("stacks")).values(), stack_keys(KNOWN))
    )
    return KNOWN if ours else categories()


def absent(root: Node, kinds: Kinds) -> Kinds:
    """Categories that the file has components of, and no package here brings a flavor of.

    Whoever has not installed what a colleague uses works on with all that is not made of it. What
    is nearly a known key is a mistake instead.
    """
    known = keys(kinds)
    return {
        name_of(key): Category(name_of(key), key, False, "")
        for key, node in _below(root).items()
        if is_section(key) and not _is_near(key, known) and _holds_components(node)
    }


def _is_near(key: str, known: Iterable[str]) -> bool:
    return any(each.endswith(key) for each in known) or did_you_mean(key, known) is not None


def _holds_components(node: Node) -> bool:
    entries = _below(node).values()
    return bool(entries) and all("flavor" in _below(each) for each in entries)


def _are(nodes: Iterable[Node], known: Iterable[str]) -> bool:
    """Whether they have keys of these only."""
    return not {key for node in nodes for key in _below(node)} - set(known)


def _below(node: Node | None) -> Mapping[str, Node]:
    return node.value if node is not None and isinstance(node.value, dict) else {}
