"""`penstock <category> update` and `delete`: what becomes of one that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from penstock.cli import known
from penstock.cli.changed import told
from penstock.cli.open import Open, words_argument
from penstock.cli.options import user_option
from penstock.cli.output import json_option
from penstock.cli.parameters import given, names, types_of
from penstock.stack.categories import Category
from penstock.stack.changing.changes import Changes
from penstock.stack.component import ComponentSpec, a
from penstock.stack.project import Project
from penstock.stack.registry import Registry


def updating(category: Category) -> click.Command:
    """Changes options of one, where it is written."""
    about = (
        f"Change options of {a(category.name)}, in the file that it is written in.\n\n"
        "Options that are not named stay as they are; --unset takes one away, so that its default "
        f"counts. What there is: penstock {category.name} flavor describe FLAVOR."
    )

    def flavor(registry: Registry, typed: Mapping[str, Any]) -> str:
        return _meant(registry, category, names(typed.get("words") or ())).flavor

    @click.command("update", cls=Open, help=about, category=category.name, flavor=flavor)
    @words_argument(known.components(category.name))
    @click.option("--unset", multiple=True, metavar="OPTION", help="Take an option away.")
    @user_option
    @json_option("changes")
    def update(*, words: Sequence[str], unset: Sequence[str], user: bool, as_json: bool) -> None:
        registry = Registry(Project.find())
        spec = _meant(registry, category, names(words))
        options = given(words, types_of(category.name, spec.flavor, registry.flavors)).options
        gone = [option.replace("-", "_") for option in unset]
        if not options and not gone:
            raise click.UsageError("There is nothing to change.", click.get_current_context())
        changes = Changes(registry, user=user)
        change = changes.update_component(category.name, spec.name, options, gone)
        told([change], as_json=as_json)

    return update


def deleting(category: Category) -> click.Command:
    """Takes one out of its file."""
    about = (
        f"Take {a(category.name)} out of the file that it is written in.\n\n"
        "Nothing is asked, and nothing else is touched. The line that brings it back is printed."
    )

    @click.command("delete", help=about)
    @click.argument("name", shell_complete=known.components(category.name))
    @user_option
    @json_option("changes")
    def delete(*, name: str, user: bool, as_json: bool) -> None:
        changes = Changes(Registry(Project.find()), user=user)
        told([changes.delete_component(category.name, name)], as_json=as_json)

    return delete


def _meant(registry: Registry, category: Category, typed: Sequence[str]) -> ComponentSpec:
    """The one that is to be changed. Raises `UnknownComponent`."""
    if not typed:
        raise click.UsageError("Missing argument 'NAME'.", click.get_current_context(silent=True))
    there = {spec.name for spec in registry.components(category.name)}
    return registry.component(category.name, next((n for n in typed if n in there), typed[0]))
