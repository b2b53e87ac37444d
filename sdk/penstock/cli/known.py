"""The names that a shell completes: what is registered, and what is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from penstock.errors import PenstockError
from penstock.stack import flavor
from penstock.stack.project import Project
from penstock.stack.registry import Registry

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""What click asks for the words that begin with what was typed."""


def stacks() -> Completion:
    """Of stacks."""
    return _completion(lambda registry: registry.stacks())


def components(category: str) -> Completion:
    """Of the components of a category."""
    return _completion(lambda registry: (spec.name for spec in registry.components(category)))


def flavors(category: str) -> Completion:
    """Of the flavors of a category."""
    return _completion(
        lambda registry: (each.name for each in flavor.flavors(category, registry.flavors))
    )


def _completion(names: Callable[[Registry], Iterable[str]]) -> Completion:
    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found: list[CompletionItem] = []
        with suppress(PenstockError):  # in the middle of a line nobody can be told
            known = names(Registry(Project.find()))
            found += [CompletionItem(name) for name in known if name.startswith(incomplete)]
        return found

    return complete
