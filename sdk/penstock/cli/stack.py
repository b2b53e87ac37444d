"""`penstock stack`: where pipelines run and where artifacts live."""

from __future__ import annotations

from typing import Any

import click

from penstock.cli.output import facts, json_option, print_json, table
from penstock.errors import PenstockError
from penstock.stack.configuration import StackSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.group()
def stack() -> None:
    """Where pipelines run and where artifacts live."""


@stack.command("list")
@json_option
def list_stacks(*, as_json: bool) -> None:
    """All stacks; '*' marks the active one."""
    registry = _registry()
    active, origin = _active(registry)
    stacks = registry.stacks().values()
    if as_json:
        print_json([{**_data(spec), "active": spec.name == active} for spec in stacks])
        return
    table(
        ["", "STACK", "ORCHESTRATOR", "ARTIFACT STORE", "STEP OPERATORS", "WRITTEN IN"],
        [
            ["*" if spec.name == active else "", spec.name, spec.orchestrator,
             spec.artifact_store, ", ".join(spec.step_operators), spec.where]
            for spec in stacks
        ],
    )  # fmt: skip
    click.echo(f"Active: {active} ({origin})", err=True)


@stack.command()
@json_option
def get(*, as_json: bool) -> None:
    """The active stack, and who chose it."""
    choice = _registry().active()
    if as_json:
        print_json({"stack": choice.name, "origin": choice.origin})
    else:
        click.echo(f"{choice.name} ({choice.origin})")


@stack.command("set")
@click.argument("name")
@json_option
def set_stack(*, name: str, as_json: bool) -> None:
    """Make a stack the active one of this checkout."""
    registry = _registry()
    warning = registry.set_active(name)
    choice = registry.active()
    if as_json:
        print_json({"stack": choice.name, "origin": choice.origin, "warning": warning})
        return
    click.echo(f"Active: {choice.name} ({choice.origin})")
    if warning:
        click.echo(f"Warning: {warning}", err=True)


@stack.command()
@click.argument("name", required=False)
@json_option
def describe(*, name: str | None, as_json: bool) -> None:
    """A stack and the options of its components, as they are written; by default the active one."""
    registry = _registry()
    choice = registry.active(name, "asked for")
    spec = registry.stacks()[choice.name]
    components = registry.specs(choice.name)
    if as_json:
        print_json({**_data(spec), "components": [item.to_data() for item in components]})
        return
    facts({"stack": choice.name, "chosen by": choice.origin, "written in": spec.where})
    for item in components:
        click.echo(f"\n{item.category} {item.name}")
        facts({"  flavor": item.flavor, "  written in": item.where,
               **{f"  {option}": value for option, value in item.options.items()}})  # fmt: skip
    for step, options in spec.steps.items():
        click.echo(f"\nstep {step}")
        facts({f"  {option}": value for option, value in options.items()})


def _registry() -> Registry:
    return Registry(Project.find())


def _active(registry: Registry) -> tuple[str, str]:
    """Name and origin; a choice that leads nowhere does not keep a listing from being printed."""
    try:
        choice = registry.active()
    except PenstockError as error:
        return "none", str(error)
    return choice.name, choice.origin


def _data(spec: StackSpec) -> dict[str, Any]:
    return {
        "stack": spec.name,
        "orchestrator": spec.orchestrator,
        "artifact_store": spec.artifact_store,
        "step_operators": list(spec.step_operators),
        "steps": spec.steps,
        "written_in": spec.where,
    }
