"""`penstock flavor`: the implementations that there are."""

from __future__ import annotations

import click

from penstock.cli.group import Group
from penstock.cli.output import json_option, print_json, table
from penstock.stack import flavor as flavors
from penstock.stack.categories import categories
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.group(cls=Group)
def flavor() -> None:
    """The implementations that a component can be of."""


@flavor.command("list")
@json_option("category", "flavor", "target", "package", many=True)
def list_flavors(*, as_json: bool) -> None:
    """All flavors that are installed here; none of them is imported."""
    own = Registry(Project.find()).flavors
    known = dict.fromkeys((*categories(), *own))
    found = [each for category in known for each in flavors.flavors(category, own)]
    if as_json:
        print_json(
            [
                {
                    "category": each.category,
                    "flavor": each.name,
                    "target": each.target,
                    "package": each.package,
                }
                for each in found
            ]
        )
        return
    table(
        ["CATEGORY", "FLAVOR", "TARGET", "PACKAGE"],
        [[each.category, each.name, each.target, each.package or "this project"] for each in found],
    )
