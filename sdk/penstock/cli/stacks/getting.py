"""`penstock stack get`: which stack is active, and who chose it."""

from __future__ import annotations

import click

from penstock.api.ending import say
from penstock.cli.output import json_option, print_json
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.command()
@json_option("stack", "origin")
def get(*, as_json: bool) -> None:
    """The active stack, and who chose it."""
    choice = Registry(Project.find()).active()
    if as_json:
        print_json({"stack": choice.name, "origin": choice.origin})
    else:
        say(f"{choice.name} ({choice.origin})")
