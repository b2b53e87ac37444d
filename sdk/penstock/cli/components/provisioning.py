"""`penstock <category> up` and `down`: the places that components need."""

from __future__ import annotations

from collections.abc import Sequence

import click

from penstock.api.ending import remark
from penstock.cli import known
from penstock.cli.output import json_option
from penstock.cli.places import told
from penstock.model.component import StackComponent
from penstock.stack import provisioned
from penstock.stack.categories import Category
from penstock.stack.component import a, spoken
from penstock.stack.project import Project
from penstock.stack.registry import Registry


def up(category: Category) -> click.Command:
    """Makes the place of one, or of the active stack's."""

    @click.command("up", help=_help(category, "Make the place that {} needs, unless it is there."))
    @click.argument("name", required=False, shell_complete=known.components(category.name))
    @json_option("components")
    def up_component(*, name: str | None, as_json: bool) -> None:
        registry = Registry(Project.find())
        deeds = provisioned.up(_found(registry, category, name), registry.project)
        told(deeds, {}, as_json=as_json)

    return up_component


def down(category: Category) -> click.Command:
    """Stops what runs for one, and removes its place if that is asked for."""
    about = (
        "Stop what runs for {}; with --force remove the place that `up` has made from here.\n\n"
        "No artifact is ever touched, and so neither is a place that has some."
    )

    @click.command("down", help=_help(category, about))
    @click.argument("name", required=False, shell_complete=known.components(category.name))
    @click.option("--force", is_flag=True, help="Remove the place, if `up` has made it from here.")
    @json_option("components")
    def down_component(*, name: str | None, force: bool, as_json: bool) -> None:
        registry = Registry(Project.find())
        found = _found(registry, category, name)
        told(provisioned.down(found, registry.project, force=force), {}, as_json=as_json)

    return down_component


def _help(category: Category, about: str) -> str:
    which = "that" if category.one else "all those"
    text = about.format(a(category.name))
    return f"{text}\n\nNAME is {a(category.name)}; by default {which} of the active stack."


def _found(registry: Registry, category: Category, name: str | None) -> Sequence[StackComponent]:
    """The one of this name, or those of the active stack."""
    if name is not None:
        return [registry.ready(category.name, name)]
    stack = registry.stack()
    found = [each for each in stack.components if each.category == category.name]
    if not found:
        remark(f"The stack {stack.name!r} has no {spoken(category.name)}.")
    return found
