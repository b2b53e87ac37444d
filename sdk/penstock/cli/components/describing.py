"""`penstock <category> flavor describe`: what a flavor is, and what it takes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from penstock.api.ending import remark, say
from penstock.cli import known
from penstock.cli.components.flavors import ALL, Files, as_data, installed
from penstock.cli.output import columns, facts, json_option, print_json
from penstock.errors import StackError
from penstock.model.component import StackComponent
from penstock.stack import describe
from penstock.stack.categories import Category
from penstock.stack.changing.spelling import shown
from penstock.stack.component import spoken
from penstock.stack.files import files
from penstock.stack.files import flavors as own
from penstock.stack.flavor import Flavor, find
from penstock.stack.project import Project

REFERENCE: Final = "'${env:NAME}'"
"""What stands for a secret on a command line."""

WIDEST: Final = 88
"""Columns of text."""


def describing(category: Category) -> click.Command:
    """Its options, with types, defaults and descriptions."""
    about = (
        "What a flavor is and takes: each option with its type, its default and what it is for.\n\n"
        "This works also where the libraries that it needs are not installed."
    )

    @click.command("describe", help=about)
    @click.argument("name", metavar="FLAVOR", shell_complete=known.flavors(category.name))
    @json_option(*ALL)
    def describe_flavor(*, name: str, as_json: bool) -> None:
        found = files(Project.find())
        data = as_known(found, find(category.name, name, own(found)))
        if as_json:
            print_json(data)
        else:
            show(data)

    return describe_flavor


def as_known(files: Files, flavor: Flavor) -> dict[str, Any]:
    """All that is known of a flavor. Its module is loaded, if that can be."""
    data = {**as_data(files, flavor), "about": None, "options": None, "problem": None}
    try:
        data |= _inside(flavor.load())
    except StackError as error:  # then it is told what is known without
        data["problem"] = str(error)
    return data


def _inside(cls: type[StackComponent]) -> dict[str, Any]:
    """What only its class can tell."""
    return {"about": describe.about(cls), "options": list(map(_option, describe.options(cls)))}


def _option(option: describe.Option) -> dict[str, Any]:
    return {
        "option": option.name,
        "type": option.type,
        "required": option.required,
        "default": option.default,
        "secret": option.secret,
        "description": option.description,
    }


def show(data: Mapping[str, Any]) -> None:
    """The same for people."""
    say(f"{spoken(data['category'])} flavor {data['flavor']}")
    facts({
        "  class": data["target"],
        "  from": data["package"] or data["written_in"],
        "  installed": "yes" if data["installed"] else installed(data),
    })  # fmt: skip
    if data["problem"]:
        remark(f"Warning: what it takes cannot be told. {data['problem']}")
        return
    if data["about"]:
        say(f"\n{_wrapped(data['about'], '')}")
    for option in data["options"]:
        say("\n" + "\n".join(_lines(option)))
    say(f"\nTo register one: {_line(data)}")


def _lines(option: Mapping[str, Any]) -> Iterator[str]:
    """Name, type and default on one; below, what it is for."""
    default = "required" if option["required"] else f"default: {_default(option['default'])}"
    yield _wrapped(f"{option['option']}: {option['type']} ({default})", "")
    if option["description"]:
        yield _wrapped(option["description"], "    ")


def _default(value: Any) -> str:
    if value in (None, "", (), [], {}):
        return "none"
    return shown(value)


def _wrapped(text: str, indent: str) -> str:
    """No wider than one reads, and never broken within a word."""
    width = int(min(columns(), WIDEST))
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent or "    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _line(data: Mapping[str, Any]) -> str:
    """What registers one, with what has to be said."""
    needed = [
        f"--{each['option']}={REFERENCE if each['secret'] else '…'}"
        for each in data["options"]
        if each["required"]
    ]
    words = ["penstock", data["category"], "register", "NAME", f"--flavor={data['flavor']}"]
    return " ".join([*words, *needed])
