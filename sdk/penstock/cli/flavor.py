"""`penstock flavor`: the implementations that there are, of all categories."""

from __future__ import annotations

import click

from penstock.api.ending import remark
from penstock.cli.components.flavors import KEYS, cells, of_category
from penstock.cli.group import Group
from penstock.cli.output import json_option, print_json, table
from penstock.stack.categories import categories, strays
from penstock.stack.files import files
from penstock.stack.files import flavors as own
from penstock.stack.project import Project


@click.group(cls=Group)
def flavor() -> None:
    """The implementations that a component can be of."""


@flavor.command("list")
@json_option(*KEYS, many=True)
def list_flavors(*, as_json: bool) -> None:
    """All flavors of all categories, and what to type where one is not installed.

    None of them is imported. More of one: `penstock CATEGORY flavor describe FLAVOR`.
    """
    there = files(Project.find())
    known = dict.fromkeys((*categories(), *own(there)))
    found = [each for category in known for each in of_category(there, category)]
    if as_json:
        print_json(found)
    else:
        table(
            ["CATEGORY", "FLAVOR", "FROM", "INSTALLED"],
            [[each["category"], *cells(each)] for each in found],
        )
    for text in strays():
        remark(f"Warning: {text}")
