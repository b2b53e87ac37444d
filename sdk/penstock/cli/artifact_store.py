"""`penstock artifact-store`: the places where artifacts live."""

from __future__ import annotations

import click

from penstock.cli.bench import bench
from penstock.cli.group import Group
from penstock.cli.output import json_option
from penstock.cli.places import said_of
from penstock.model.component import StackComponent
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
    found = _found(name)
    found.up()
    said_of([found], "up", {}, as_json=as_json)


@artifact_store.command()
@click.argument("name", required=False)
@json_option("components")
def down(*, name: str | None, as_json: bool) -> None:
    """Take down what `up` has made, as far as nothing is lost with it.

    No artifact is ever touched, and so neither is a bucket that has some. NAME is an artifact
    store; by default that of the active stack.
    """
    found = _found(name)
    found.down()
    said_of([found], "down", {}, as_json=as_json)


def _found(name: str | None) -> StackComponent:
    """The one of this name, or the active stack's."""
    registry = Registry(Project.find())
    if name is None:
        return registry.stack().artifact_store
    return registry.ready("artifact-store", name)
