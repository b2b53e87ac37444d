"""`penstock stack delete`: a stack that is no longer needed."""

from __future__ import annotations

import click

from penstock.cli import known
from penstock.cli.changed import told
from penstock.cli.options import user_option
from penstock.cli.output import json_option
from penstock.stack.changing.changes import Changes
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.command()
@click.argument("name", shell_complete=known.stacks())
@click.option("--recursive", is_flag=True, help="Its components, too, unless others have them.")
@user_option
@json_option("stack", "changes")
def delete(*, name: str, recursive: bool, user: bool, as_json: bool) -> None:
    """Take a stack out of its file.

    The line that brings it back is printed. Runs and artifacts stay where they are. The active
    stack may go as well: then another one is active. What `penstock stack up` has made for it has
    to be removed before.
    """
    changes = Changes(Registry(Project.find()), user=user)
    told(changes.delete_stack(name, recursive=recursive), {"stack": name}, as_json=as_json)
