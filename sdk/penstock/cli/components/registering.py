"""`penstock <category> register`: a component, configured and under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from penstock.cli import asking, known
from penstock.cli.changed import told
from penstock.cli.components.flavors import no_flavor
from penstock.cli.open import Open, words_argument
from penstock.cli.options import user_option
from penstock.cli.output import json_option
from penstock.cli.parameters import WHERE, given, required, types_of
from penstock.errors import StackError, UnknownFlavor
from penstock.stack.categories import Category
from penstock.stack.changing.changes import Changes
from penstock.stack.component import ComponentSpec, a
from penstock.stack.flavor import flavors
from penstock.stack.project import Project
from penstock.stack.registry import Registry


def registering(category: Category) -> click.Command:
    """Writes a new one down."""
    about = (
        f"Write down {a(category.name)}: a NAME, a flavor, and options of that flavor.\n\n"
        "It goes to the project's penstock.yaml if there is one, else to your own file. A secret "
        "is given as a reference, ${env:NAME} or ${file:PATH}: nothing is resolved now.\n\n"
        f"Flavors, and what they take: penstock {category.name} flavor list, and flavor describe."
    )

    @click.command(
        "register", cls=Open, help=about, category=category.name,
        flavor=lambda _, typed: typed.get("flavor"),
    )  # fmt: skip
    @words_argument()
    @click.option(
        "--flavor", "-f", metavar="FLAVOR", shell_complete=known.flavors(category.name),
        help="Which implementation it is.",
    )  # fmt: skip
    @click.option("--interactive", "-i", is_flag=True, help="Ask for every option.")
    @user_option
    @json_option("changes")
    def register(
        *, words: Sequence[str], flavor: str | None, interactive: bool, user: bool, as_json: bool
    ) -> None:
        registry = Registry(Project.find())
        changes = Changes(registry, user=user)
        if flavor is None and not flavors(category.name, registry.flavors):
            raise UnknownFlavor(no_flavor(category))
        types = types_of(category.name, flavor, registry.flavors) if flavor else None
        typed = given(words, types)
        parts = (category.name, typed.name, flavor, typed.options)
        if flavor is None and typed.options:  # what they mean depends on it
            raise asking.missing(changes, *parts)
        spec = None if interactive else _complete(changes, *parts)
        spec = spec or asking.ask_component(changes, *parts, every=interactive)
        told([changes.register_component(spec)], as_json=as_json)

    return register


def _complete(
    changes: Changes,
    category: str,
    name: str | None,
    flavor: str | None,
    options: Mapping[str, Any],
) -> ComponentSpec | None:
    """What was typed, if that is enough. What is wrong with it is raised before anybody is asked
    for the rest."""
    if name is None or flavor is None:
        return None
    spec = ComponentSpec(category, name, flavor, options, WHERE)
    needed = required(category, flavor, changes.registry.flavors) - set(options)
    if not needed:
        return spec
    try:
        changes.check_component(spec)
    except StackError as error:
        if len(error.problems or (error,)) > len(needed):
            raise asking.with_flags(changes.registry, spec, error) from None
    return None
