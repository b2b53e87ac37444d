"""`penstock stack register`: a new stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from penstock.api.ending import say
from penstock.cli.changed import told
from penstock.cli.options import user_option
from penstock.cli.output import json_option
from penstock.cli.parameters import WHERE
from penstock.cli.stacks.choosing import chosen, warn
from penstock.cli.stacks.parts import StackCommand, parts, values
from penstock.lazy import lazy
from penstock.stack.changing.changes import Changes
from penstock.stack.changing.stack_values import changed
from penstock.stack.configuration import ONE, StackSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registry

if TYPE_CHECKING:
    from penstock.cli import asking
else:
    asking = lazy("penstock.cli.asking")  # only for who has not said it all


@click.command(cls=StackCommand)
@click.argument("name", required=False)
@parts
@click.option("--set", "make_active", is_flag=True, help="Make it this checkout's active stack.")
@click.option("-i", "--interactive", is_flag=True, help="Ask for all that is not given.")
@user_option
@json_option("stack", "changes", "active", "warning")
def register(
    *,
    name: str | None,
    make_active: bool,
    interactive: bool,
    user: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Write down a new stack.

    It is made of components that are registered in the same file: the project's penstock.yaml if
    there is one, else your own. On a terminal, what is missing is asked for.
    """
    registry = Registry(Project.find())
    changes = Changes(registry, user=user)
    also = " --set" if make_active else ""
    spec = _spec(changes, name, values(given), interactive=interactive, also=also)
    change = changes.register_stack(spec)
    choice, warnings = chosen(registry, spec.name) if make_active else (None, [])
    active = {"active": choice and choice.name, "warning": "\n".join(warnings) or None}
    told([change], {"stack": spec.name, **active}, as_json=as_json)
    if choice and not as_json:
        say(f"Active: {choice.name} ({choice.origin})")
        warn(warnings)


def _spec(
    changes: Changes,
    name: str | None,
    given: Mapping[str, Any],
    *,
    interactive: bool,
    also: str,
) -> StackSpec:
    if interactive or name is None or not ONE.keys() <= given.keys():
        return asking.ask_stack(changes, name, given, every=interactive, also=also)
    return changed(StackSpec(name, where=WHERE), given)
