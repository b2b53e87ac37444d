"""`penstock stack up` and `down`: the places that a stack needs."""

from __future__ import annotations

import click

from penstock.cli import known
from penstock.cli.output import json_option
from penstock.cli.places import told
from penstock.stack import provisioned
from penstock.stack.choice import ASKED
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.command()
@click.argument("name", required=False, shell_complete=known.stacks())
@json_option("stack", "components")
def up(*, name: str | None, as_json: bool) -> None:
    """Make the places that a stack needs.

    Of the active one by default. What is there already, such as its bucket, is left as it is.
    """
    registry = Registry(Project.find())
    found = registry.stack(name, ASKED)
    deeds = provisioned.up(found.components, registry.project)
    told(deeds, {"stack": found.name}, as_json=as_json)


@click.command()
@click.argument("name", required=False, shell_complete=known.stacks())
@click.option("--force", is_flag=True, help="Remove the places that `up` has made from here.")
@json_option("stack", "components")
def down(*, name: str | None, force: bool, as_json: bool) -> None:
    """Stop what runs for a stack, or remove its places.

    By default for the active one. With --force the places are removed that `up` has made from this
    checkout. No artifact is ever touched, and so neither is a bucket that has some.
    """
    registry = Registry(Project.find())
    found = registry.stack(name, ASKED)
    deeds = provisioned.down(found.components, registry.project, force=force)
    told(deeds, {"stack": found.name}, as_json=as_json)
