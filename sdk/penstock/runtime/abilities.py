"""Abilities: which stacks have an orchestrator that can do what another one cannot."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.errors import CannotRun, StackError, listed
from penstock.stack import flavor
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack


def lacking(method: str, said: str, stack: Stack, project: Project) -> CannotRun:
    """The error for an orchestrator that lacks a method. What is `said` of it ends with what comes
    before a list of the stacks that would do."""
    registry = Registry(project)
    able = set(_flavors(registry, method))
    stacks = [
        name
        for name in registry.stacks()
        for spec in registry.specs(name)
        if spec.category == "orchestrator" and spec.flavor in able
    ]
    new = "".join(f" --flavor {name}" for name in sorted(able)[:1])
    return CannotRun(
        f"The orchestrator {stack.orchestrator.name!r} (flavor {stack.orchestrator.flavor}) of the "
        f"stack {stack.name!r} ({stack.origin}) {said}: {listed(stacks)}.",
        hint=f"Type it again, with --stack {stacks[0]}"
        if stacks
        else f"Type: penstock orchestrator register NAME{new}",
    )


def _flavors(registry: Registry, method: str) -> Iterator[str]:
    """Names of those that have it; of one that cannot be loaded nobody knows."""
    for each in flavor.flavors("orchestrator", registry.flavors):
        try:
            loaded = each.load()
        except StackError:
            continue
        if hasattr(loaded, method):
            yield each.name
