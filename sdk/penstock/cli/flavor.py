"""`penstock flavor`: the implementations that there are, of all categories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from penstock.api.ending import remark, say
from penstock.cli.components.flavors import ALL, KEYS, Files, cells, of_category
from penstock.cli.group import Group
from penstock.cli.output import json_option, print_json, table
from penstock.errors import UnknownFlavor, did_you_mean, listed
from penstock.lazy import lazy
from penstock.stack.categories import categories, strays
from penstock.stack.files import files
from penstock.stack.files import flavors as own
from penstock.stack.flavor import flavors
from penstock.stack.project import Project

if TYPE_CHECKING:
    from penstock.cli.components import describing
else:
    describing = lazy("penstock.cli.components.describing")  # it loads what it describes


@click.group(cls=Group)
def flavor() -> None:
    """The implementations that a component can be of."""


@flavor.command("describe")
@click.argument("name", metavar="FLAVOR")
@json_option(*ALL, many=True)
def describe_flavor(*, name: str, as_json: bool) -> None:
    """What a flavor is and takes; if several categories have one of that name, each of them."""
    there = files(Project.find())
    known = [each for category in _categories(there) for each in flavors(category, own(there))]
    found = [describing.as_known(there, each) for each in known if each.name == name]
    if not found:
        names = sorted({each.name for each in known})
        raise UnknownFlavor(
            f"No flavor of any category is named {name!r}. There are {listed(names)}.",
            hint=did_you_mean(name, names),
        )
    if as_json:
        print_json(found)
        return
    for each in found:
        if each is not found[0]:
            say("")
        describing.show(each)


def _categories(there: Files) -> Iterable[str]:
    return dict.fromkeys((*categories(), *own(there)))


@flavor.command("list")
@json_option(*KEYS, many=True)
def list_flavors(*, as_json: bool) -> None:
    """All flavors of all categories, and what to type where one is not installed.

    None of them is imported. More of one: `penstock flavor describe FLAVOR`.
    """
    there = files(Project.find())
    found = [each for name in _categories(there) for each in of_category(there, name)]
    if as_json:
        print_json(found)
    else:
        table(
            ["CATEGORY", "FLAVOR", "FROM", "INSTALLED"],
            [[each["category"], *cells(each)] for each in found],
        )
    for text in strays():
        remark(f"Warning: {text}")
