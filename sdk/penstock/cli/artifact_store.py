"""`penstock artifact-store`: the places where artifacts live."""

from __future__ import annotations

import click

from penstock.cli.bench import bench
from penstock.cli.group import Group


@click.group("artifact-store", cls=Group)
def artifact_store() -> None:
    """The places where artifacts live."""


artifact_store.add_command(bench)
