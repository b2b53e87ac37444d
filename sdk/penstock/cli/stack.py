"""`penstock stack`: where pipelines run and where artifacts live."""

from __future__ import annotations

from typing import Any, Final

import click

from penstock.api.ending import remark, say
from penstock.cli.group import Group
from penstock.cli.output import facts, json_option, print_json, table
from penstock.cli.places import told
from penstock.errors import UnknownStack
from penstock.stack import checked, provisioned, secrets
from penstock.stack.component import spoken
from penstock.stack.configuration import StackSpec
from penstock.stack.masked import masked
from penstock.stack.project import Project
from penstock.stack.registry import Registry

KEYS: Final = (
    "stack", "orchestrator", "artifact_store", "step_operators", "experiment_trackers",
    "model_deployers", "steps", "secrets", "written_in",
)  # fmt: skip
"""What a stack has as JSON."""


@click.group(cls=Group)
def stack() -> None:
    """Where pipelines run and where artifacts live."""


@stack.command("list")
@json_option(*KEYS, "active", many=True)
def list_stacks(*, as_json: bool) -> None:
    """All stacks; '*' marks the active one."""
    registry = _registry()
    try:
        active, remarks = _active(registry)
    except UnknownStack as error:  # the list is what helps now
        active, remarks = "", f"Warning: {error}"
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
    remark(remarks)


@stack.command()
@json_option("stack", "origin")
def get(*, as_json: bool) -> None:
    """The active stack, and who chose it."""
    choice = _registry().active()
    if as_json:
        print_json({"stack": choice.name, "origin": choice.origin})
    else:
        say(f"{choice.name} ({choice.origin})")


@stack.command("set")
@click.argument("name")
@json_option("stack", "origin", "warning")
def set_stack(*, name: str, as_json: bool) -> None:
    """Make a stack the active one of this checkout."""
    registry = _registry()
    warning = registry.set_active(name)
    choice = registry.active()
    if as_json:
        print_json({"stack": choice.name, "origin": choice.origin, "warning": warning})
        return
    say(f"{choice.name} ({choice.origin})")
    if warning:
        remark(f"Warning: {warning}")


@stack.command("describe")
@click.argument("name", required=False)
@json_option(*KEYS, "active", "components")
def describe_stack(*, name: str | None, as_json: bool) -> None:
    """A stack and the options of its components; by default the active one.

    Options are shown as they are written: no reference is resolved, and secrets are masked.
    """
    registry = _registry()
    choice = registry.active(name, "asked for")
    spec = registry.stacks()[choice.name]
    components = [
        {**item.to_data(), "options": masked(item, registry.flavors), "written_in": item.where}
        for item in registry.specs(choice.name)
    ]
    if as_json:
        active = name is None or registry.active().name == choice.name
        print_json({**_data(spec), "active": active, "components": components})
        return
    facts({"stack": choice.name, "chosen by": choice.origin, "written in": spec.where})
    for item in components:
        options = {f"  {option}": value for option, value in item["options"].items()}
        say(f"\n{spoken(item['category'])} {item['name']}")
        facts({"  flavor": item["flavor"], "  written in": item["written_in"], **options})
    for step, written in spec.steps.items():
        say(f"\nstep {step}")
        facts({f"  {option}": value for option, value in written.items()})
    if spec.secrets:
        say("\nsecrets")
        facts({f"  {name}": text for name, text in secrets.masked(spec.secrets).items()})


@stack.command("check")
@click.argument("name", required=False)
@json_option("stack", "ok", "findings")
def check_stack(*, name: str | None, as_json: bool) -> int:
    """Try out what a stack is made of; by default the active one.

    A line for each thing that was tried, with what is wrong and what to type. The store gets an
    object of its own, which is deleted again. Nothing that is wrong hides anything else. If
    anything is, the exit code is that of a run: 3 for the configuration, 5 for the store.
    """
    found = checked.check(_registry(), name, "asked for")
    if as_json:
        print_json(found.to_data())
    else:
        say(str(found))
    return found.exit_code


@stack.command("up")
@click.argument("name", required=False)
@json_option("stack", "components")
def up_stack(*, name: str | None, as_json: bool) -> None:
    """Make the places that a stack needs, such as its bucket; by default the active one's.

    What is there already is left as it is.
    """
    registry = _registry()
    found = registry.stack(name, "asked for")
    deeds = provisioned.up(found.components, registry.project)
    told(deeds, {"stack": found.name}, as_json=as_json)


@stack.command("down")
@click.argument("name", required=False)
@click.option("--force", is_flag=True, help="Remove the places that `up` has made from here.")
@json_option("stack", "components")
def down_stack(*, name: str | None, force: bool, as_json: bool) -> None:
    """Stop what runs for a stack, by default the active one; with --force remove the places that
    `up` has made from this checkout.

    No artifact is ever touched, and so neither is a bucket that has some.
    """
    registry = _registry()
    found = registry.stack(name, "asked for")
    deeds = provisioned.down(found.components, registry.project, force=force)
    told(deeds, {"stack": found.name}, as_json=as_json)


def _registry() -> Registry:
    return Registry(Project.find())


def _active(registry: Registry) -> tuple[str, str]:
    """The active stack's name, and a line that says who chose it."""
    choice = registry.active()
    return choice.name, f"Active: {choice.name} ({choice.origin})"


def _data(spec: StackSpec) -> dict[str, Any]:
    return {
        "stack": spec.name,
        "orchestrator": spec.orchestrator,
        "artifact_store": spec.artifact_store,
        "step_operators": list(spec.step_operators),
        "experiment_trackers": list(spec.experiment_trackers),
        "model_deployers": list(spec.model_deployers),
        "steps": spec.steps,
        "secrets": secrets.masked(spec.secrets),
        "written_in": spec.where,
    }
