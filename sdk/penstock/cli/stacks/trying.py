"""`penstock stack check`: whether a stack works."""

from __future__ import annotations

import click

from penstock.api.ending import say
from penstock.cli import known
from penstock.cli.output import json_option, print_json
from penstock.stack import checked
from penstock.stack.choice import ASKED
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.command()
@click.argument("name", required=False, shell_complete=known.stacks())
@json_option("stack", "ok", "findings")
def check(*, name: str | None, as_json: bool) -> int:
    """Try out what a stack is made of.

    Of the active one by default. A line for each thing that was tried, with what is wrong and
    what to type. The store gets an object of its own, which is deleted again. Nothing that is wrong
    hides anything else. If anything is, the exit code is that of a run: 3 for the configuration, 5
    for the store.
    """
    found = checked.check(Registry(Project.find()), name, ASKED)
    if as_json:
        print_json(found.to_data())
    else:
        say(str(found))
    return found.exit_code
