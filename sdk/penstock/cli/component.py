"""`penstock <category>`: the components of a category, and its flavors."""

from __future__ import annotations

from typing import Any, Final

import click

from penstock.cli.group import Later, Table, named
from penstock.stack.categories import Category
from penstock.stack.component import a, several

VERBS: Final[Table] = {
    "list": ("penstock.cli.components.listing:listing", "All {several}, and what uses them."),
    "describe": (
        "penstock.cli.components.listing:describing",
        "How {a} is configured; by default the active stack's.",
    ),
    "register": (
        "penstock.cli.components.registering:registering",
        "Write down {a}, configured and under a name.",
    ),
    "update": ("penstock.cli.components.changing:updating", "Change options of {a}."),
    "delete": ("penstock.cli.components.changing:deleting", "Take {a} out of its file."),
    "up": (
        "penstock.cli.components.provisioning:up",
        "Make the place that {a} needs.",
    ),
    "down": (
        "penstock.cli.components.provisioning:down",
        "Stop what runs for {a}; with --force remove its place.",
    ),
    "flavor": ("penstock.cli.component:flavors", "What {a} can be of."),
}
"""Of every category. What is there makes the command of one."""

MORE: Final[dict[str, Table]] = {
    "artifact-store": {"bench": ("penstock.cli.bench:bench", "Measure an artifact store.")},
}
"""Commands that only some categories have."""

FLAVOR_VERBS: Final[Table] = {
    "list": ("penstock.cli.components.flavors:listing", "All flavors of {a}."),
    "describe": (
        "penstock.cli.components.describing:describing",
        "The options of a flavor, and how to install it.",
    ),
    "register": (
        "penstock.cli.components.own_flavors:registering",
        "Write down a flavor of your own.",
    ),
    "delete": (
        "penstock.cli.components.own_flavors:deleting",
        "Take a flavor of your own out of its file.",
    ),
}


class Verbs(Later):
    """Commands that are made for a category."""

    def __init__(self, category: Category, *args: Any, table: Table, **more: Any) -> None:
        words = {"a": a(category.name), "several": several(category.name)}
        told = {name: (place, help.format(**words)) for name, (place, help) in table.items()}
        super().__init__(*args, table=told, **more)
        self.category = category

    def loaded(self, target: str) -> click.Command:
        found = named(target)
        return found if isinstance(found, click.Command) else found(self.category)


def group(category: Category) -> click.Group:
    """The commands of a category."""
    table = {**VERBS, **MORE.get(category.name, {})}
    return Verbs(category, category.name, table=table, help=category.about)


def flavors(category: Category) -> click.Group:
    """The commands of its flavors."""
    about = f"What {several(category.name)} can be of."
    return Verbs(category, "flavor", table=FLAVOR_VERBS, help=about)
