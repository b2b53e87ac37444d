"""`penstock artifact-store`: the places where artifacts live."""

from __future__ import annotations

import click

from penstock.cli.bench import bench
from penstock.cli.group import Group
from penstock.cli.output import json_option
from penstock.cli.places import told
from penstock.model.component import StackComponent
from penstock.stack import provisioned
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.group("artifact-store", cls=Group)
def artifact_store() -> None:
    """The places where artifacts live."""


artifact_store.add_command(bench)


@artifact_store.command()
@click.argument("name", required=False)
@json_option("components")
def up(*, name: str | None, as_json: bool) -> None:
    """Make the place of an artifact store, such as its bucket, unless it is there.

    NAME is an artifact store; by default that of the active stack.
    """
    registry = Registry(Project.find())
    told(provisioned.up([_found(registry, name)], registry.project), {}, as_json=as_json)


@artifact_store.command()
@click.argument("name", required=False)
@click.option("--force", is_flag=True, help="Remove the place, if `up` has made it from here.")
@json_option("components")
def down(*, name: str | None, force: bool, as_json: bool) -> None:
    """Stop what runs for an artifact store; with --force remove the place that `up` has made.

    No artifact is ever touched, and so neither is a bucket that has some. NAME is an artifact
    store; by default that of the active stack.
    """
    registry = Registry(Project.find())
    found = _found(registry, name)
    told(provisioned.down([found], registry.project, force=force), {}, as_json=as_json)


def _found(registry: Registry, name: str | None) -> StackComponent:
    """The one of this name, or the active stack's."""
    if name is None:
        return registry.stack().artifact_store
    return registry.ready("artifact-store", name)
