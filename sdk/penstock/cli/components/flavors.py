"""`penstock <category> flavor list`, and that of all categories: what there is to be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from penstock.api.ending import remark
from penstock.cli.output import json_option, print_json, table
from penstock.stack.categories import Category
from penstock.stack.complaints import shown
from penstock.stack.component import several, spoken
from penstock.stack.configuration import Configuration
from penstock.stack.files import files
from penstock.stack.files import flavors as own
from penstock.stack.flavor import Flavor, flavors
from penstock.stack.project import Project

Files = Sequence[Configuration]

KEYS: Final = ("category", "flavor", "target", "package", "written_in", "installed", "install")
"""What a flavor has as JSON. One of `package` and `written_in` is null."""


ALL: Final = (*KEYS, "about", "options", "problem")
"""The same with what only its class can tell."""


def listing(category: Category) -> click.Command:
    """All of a category; none of them is imported."""

    @click.command("list", help=f"All flavors of {several(category.name)}; none is imported.")
    @json_option(*KEYS, many=True)
    def list_flavors(*, as_json: bool) -> None:
        found = of_category(files(Project.find()), category.name)
        if as_json:
            print_json(found)
        elif found:
            table(["FLAVOR", "FROM", "INSTALLED"], [cells(each) for each in found])
        else:
            remark(no_flavor(category))

    return list_flavors


def of_category(files: Files, category: str) -> list[dict[str, Any]]:
    """Its flavors as data."""
    return [as_data(files, each) for each in flavors(category, own(files))]


def as_data(files: Files, flavor: Flavor) -> dict[str, Any]:
    """What can be said of a flavor without its module."""
    return {
        "category": flavor.category,
        "flavor": flavor.name,
        "target": flavor.target,
        "package": flavor.package,
        "written_in": None if flavor.package else _written_in(files, flavor),
        "installed": not flavor.missing and (flavor.package is not None or _is_there(flavor)),
        "install": flavor.install or None,
    }


def cells(data: Mapping[str, Any]) -> Sequence[str]:
    """Of one, in a table."""
    return [data["flavor"], data["package"] or data["written_in"] or "", installed(data)]


def installed(data: Mapping[str, Any]) -> str:
    """Whether it is, and else what to type."""
    if data["installed"]:
        return "installed"
    return data["install"] or f"there is no module {_top(data['target'])!r}"


def no_flavor(category: Category) -> str:
    """How to get one, where none is installed."""
    return (
        f"No {spoken(category.name)} flavor is installed: a package brings one, or you write one "
        f"and type: penstock {category.name} flavor register MODULE:CLASS"
    )


def _written_in(files: Files, flavor: Flavor) -> str | None:
    for file in files:
        if file.path and flavor.name in file.flavors.get(flavor.category, {}):
            return shown(file.path)
    return None


def _is_there(flavor: Flavor) -> bool:
    """Whether the package that its module is in would be found; nothing is imported."""
    from importlib.machinery import PathFinder  # 10 ms, and only where a file has a flavor
    from importlib.util import find_spec

    top = _top(flavor.target)
    try:
        return bool(find_spec(top) or PathFinder.find_spec(top, [str(Project.find().root)]))
    except ValueError:  # a module that was made by hand
        return True


def _top(target: str) -> str:
    return target.partition(":")[0].partition(".")[0]
