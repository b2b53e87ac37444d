"""`penstock stack set`: which stack is active."""

from __future__ import annotations

from collections.abc import Iterator

import click

from penstock.api.ending import remark, say
from penstock.cli import known
from penstock.cli.changed import told
from penstock.cli.output import json_option, print_json
from penstock.errors import StackError
from penstock.stack import flavor
from penstock.stack.changing.changes import Changes
from penstock.stack.choice import StackChoice
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.command("set")
@click.argument("name", required=False, shell_complete=known.stacks())
@click.option("--project", is_flag=True, help="For the team: as `active:` in penstock.yaml.")
@click.option("--unset", is_flag=True, help="Take the choice back, in place of a NAME.")
@json_option("stack", "origin", "warning", "changes")
def set_(*, name: str | None, project: bool, unset: bool, as_json: bool) -> None:
    """Make a stack the active one.

    It is that of this checkout: the choice is kept in .penstock/active, which is never committed.
    With --project it becomes the team's default, for all who have chosen none.
    """
    if unset is (name is not None):
        raise click.UsageError("Give the NAME of a stack, or --unset.", click.get_current_context())
    registry = Registry(Project.find())
    if project:
        change = Changes(registry).set_default(name)
        choice, warnings = registry.choice, list(lacks(registry, name))
        told([change], {**_data(choice, warnings)}, as_json=as_json)
    else:
        choice, warnings = chosen(registry, name)
        if as_json:
            print_json({**_data(choice, warnings), "changes": []})
        else:
            say(f"{choice.name} ({choice.origin})")
    if not as_json:
        warn(warnings)


def chosen(registry: Registry, name: str | None) -> tuple[StackChoice, list[str]]:
    """Choose for this checkout. Returns who wins, and warnings."""
    warning = registry.set_active(name)
    return registry.choice, [*([warning] if warning else []), *lacks(registry, name)]


def warn(warnings: list[str]) -> None:
    for text in warnings:
        remark(f"Warning: {text}")


def lacks(registry: Registry, name: str | None) -> Iterator[str]:
    """What the components of a stack need and is not installed here, with the line that installs
    it. Nothing is imported."""
    own = registry.flavors
    for spec in registry.specs(name) if name else ():
        try:
            found = flavor.find(spec.category, spec.flavor, own, where=spec.where)
        except StackError as error:
            yield str(error)
            continue
        if found.extras and found.missing:
            yield (
                f"{found} needs what is not installed: {', '.join(found.missing)}.\n{found.install}"
            )


def _data(choice: StackChoice, warnings: list[str]) -> dict[str, str | None]:
    return {
        "stack": choice.name,
        "origin": choice.origin,
        "warning": "\n".join(warnings) or None,
    }
