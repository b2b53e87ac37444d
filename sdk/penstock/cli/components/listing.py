"""`penstock <category> list` and `describe`: which there are, and how they are configured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from penstock.api.ending import remark, say
from penstock.cli import known
from penstock.cli.components.flavors import no_flavor
from penstock.cli.output import facts, json_option, print_json, table
from penstock.errors import UnknownStack
from penstock.stack.categories import Category
from penstock.stack.changing.spelling import shown
from penstock.stack.component import ComponentSpec, a, several, spoken
from penstock.stack.flavor import flavors
from penstock.stack.masked import masked
from penstock.stack.project import Project
from penstock.stack.registry import Registry


def listing(category: Category) -> click.Command:
    """All of them, with the stacks that have them."""
    about = f"All {several(category.name)}, and the stacks that have them."

    @click.command("list", help=f"{about} Nothing is imported, and no reference resolved.")
    @json_option("category", "name", "flavor", "used_by", "active", "written_in", many=True)
    def list_components(*, as_json: bool) -> None:
        registry = Registry(Project.find())
        active, told = _active(registry)
        found = [_row(registry, spec, active) for spec in registry.components(category.name)]
        if as_json:
            print_json(found)
        elif found:
            table(["", "NAME", "FLAVOR", "USED BY", "WRITTEN IN"], list(map(_cells, found)))
            remark(told)
        else:
            remark(_none(registry, category))

    return list_components


def describing(category: Category) -> click.Command:
    """The options of one, or of those that the active stack has."""
    which = "that" if category.one else "all those"

    @click.command(
        "describe",
        help=f"How {a(category.name)} is configured; by default {which} of the active stack.\n\n"
        "Options are shown as they are written: no reference is resolved, and secrets are masked.",
    )
    @click.argument("name", required=False, shell_complete=known.components(category.name))
    @json_option("category", "name", "flavor", "options", "used_by", "written_in", many=True)
    def describe_component(*, name: str | None, as_json: bool) -> None:
        registry = Registry(Project.find())
        found = [_data(registry, spec) for spec in _meant(registry, category, name)]
        if as_json:
            print_json(found)
        elif found:
            show(found)
        else:
            remark(f"The stack {registry.active().name!r} has no {spoken(category.name)}.")

    return describe_component


def show(components: Sequence[Mapping[str, Any]]) -> None:
    """Each under its category and name."""
    for index, item in enumerate(components):
        head = f"{spoken(item['category'])} {item['name']}"
        say(f"\n{head}" if index else head)
        said = {"flavor": item["flavor"], "written in": item["written_in"]}
        said["used by"] = ", ".join(item["used_by"]) or "no stack"
        options = {option: shown(value) for option, value in item["options"].items()}
        facts({f"  {key}": value for key, value in (said | options).items()})


def _none(registry: Registry, category: Category) -> str:
    if not flavors(category.name, registry.flavors):
        return no_flavor(category)
    return f"No {several(category.name)}. To register one: {_line(category)}"


def _line(category: Category) -> str:
    return f"penstock {category.name} register NAME --flavor=FLAVOR"


def _meant(registry: Registry, category: Category, name: str | None) -> list[ComponentSpec]:
    """The one of this name, or those of the active stack."""
    if name is not None:
        return [registry.component(category.name, name)]
    specs = registry.specs(registry.active().name)
    return [spec for spec in specs if spec.category == category.name]


def _active(registry: Registry) -> tuple[str, str]:
    """The active stack, and who chose it; or why there is none, for this listing helps then."""
    try:
        choice = registry.active()
    except UnknownStack as error:
        return "", f"Warning: {error}"
    return choice.name, f"* in the active stack: {choice.name} ({choice.origin})"


def _row(registry: Registry, spec: ComponentSpec, active: str) -> dict[str, Any]:
    users = _users(registry, spec)
    return {
        "category": spec.category,
        "name": spec.name,
        "flavor": spec.flavor,
        "used_by": users,
        "active": active in users,
        "written_in": spec.where,
    }


def _cells(row: Mapping[str, Any]) -> Sequence[str]:
    mark, users = "*" if row["active"] else "", ", ".join(row["used_by"])
    return [mark, row["name"], row["flavor"], users, row["written_in"]]


def _data(registry: Registry, spec: ComponentSpec) -> dict[str, Any]:
    return {
        **spec.to_data(),
        "options": masked(spec, registry.flavors),
        "used_by": _users(registry, spec),
        "written_in": spec.where,
    }


def _users(registry: Registry, spec: ComponentSpec) -> list[str]:
    """The stacks that have it."""
    key = (spec.category, spec.name)
    return [name for name, stack in registry.stacks().items() if key in stack.names()]
