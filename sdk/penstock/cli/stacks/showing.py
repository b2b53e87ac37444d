"""`penstock stack describe`: a stack and the options of its components."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click

from penstock.api.ending import say
from penstock.cli import known
from penstock.cli.output import facts, json_option, print_json
from penstock.cli.stacks.shape import KEYS, of_stack
from penstock.errors import UnknownStack
from penstock.stack import secrets
from penstock.stack.changing.spelling import shown
from penstock.stack.choice import ASKED
from penstock.stack.component import spoken
from penstock.stack.configuration import StackSpec
from penstock.stack.masked import masked
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.command()
@click.argument("name", required=False, shell_complete=known.stacks())
@json_option(*KEYS, "active", "components")
def describe(*, name: str | None, as_json: bool) -> None:
    """A stack and the options of its components.

    By default the active one. Options are shown as they are written: no reference is resolved, and
    secrets are masked.
    """
    registry = Registry(Project.find())
    spec = registry.stacks()[registry.active(name, ASKED).name]
    chosen_by = _chosen_by(registry, spec)
    components = [
        {**item.to_data(), "options": masked(item, registry.flavors), "written_in": item.where}
        for item in registry.specs(spec.name)
    ]
    if as_json:
        print_json({**of_stack(spec), "active": chosen_by != "", "components": components})
        return
    active = {"chosen by": chosen_by} if chosen_by else {"active": "no"}
    facts({"stack": spec.name, **active, "written in": spec.where})
    _print_components(components)
    _print_rest(spec)


def _chosen_by(registry: Registry, spec: StackSpec) -> str:
    """Who has made it the active stack; empty if it is not."""
    with suppress(UnknownStack):  # then none is active, and this one can be looked at
        choice = registry.active()
        return choice.origin if choice.name == spec.name else ""
    return ""


def _print_components(components: list[dict[str, Any]]) -> None:
    for item in components:
        options = {f"  {option}": shown(value) for option, value in item["options"].items()}
        say(f"\n{spoken(item['category'])} {item['name']}")
        facts({"  flavor": item["flavor"], "  written in": item["written_in"], **options})


def _print_rest(spec: StackSpec) -> None:
    for step, written in spec.steps.items():
        say(f"\nstep {step}")
        facts({f"  {option}": shown(value) for option, value in written.items()})
    if spec.secrets:
        say("\nsecrets")
        facts({f"  {name}": text for name, text in secrets.masked(spec.secrets).items()})
