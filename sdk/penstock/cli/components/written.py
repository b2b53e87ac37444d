"""Categories that only a file has: no package brings one here, and still it can be looked at."""

from __future__ import annotations

from penstock.errors import StackError
from penstock.stack.categories import Category, section_of
from penstock.stack.component import several
from penstock.stack.project import Project
from penstock.stack.registry import Registry


def category(name: str) -> Category | None:
    """The one of this name, if a file has a component or a flavor of it."""
    try:
        registry = Registry(Project.find())
        known = {*registry.flavors, *(spec.category for spec in registry.components())}
    except StackError:  # whoever has mistyped a command is not told of a file now
        return None
    if name not in known:
        return None
    return Category(name, section_of(name), False, f"The {several(name)}, which no package brings.")
