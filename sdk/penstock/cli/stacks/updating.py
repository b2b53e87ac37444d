"""`penstock stack update`: other components for a stack that is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from penstock.cli import known
from penstock.cli.changed import told
from penstock.cli.options import user_option
from penstock.cli.output import json_option
from penstock.cli.stacks.parts import StackCommand, parts, values
from penstock.stack.changing.changes import Changes
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.command(cls=StackCommand)
@click.argument("name", shell_complete=known.stacks())
@parts
@click.option(
    "--unset",
    metavar="KEY",
    multiple=True,
    help="Take away what stands there, for example step_operators; in place of the orchestrator "
    "or the artifact store comes the default one. Repeat it for several.",
)
@user_option
@json_option("stack", "changes")
def update(*, name: str, unset: Sequence[str], user: bool, as_json: bool, **given: Any) -> None:
    """Give a stack other components, steps or secrets.

    What is not given stays as it is. A list is replaced as a whole: name all step operators that
    the stack is to have. So are --steps and --secrets.
    """
    new = values(given)
    if not new and not unset:
        text = f"What is to change? For example: penstock stack update {name} --artifact-store=NAME"
        raise click.UsageError(text, click.get_current_context())
    for key in unset:
        if key in new:
            raise click.UsageError(f"{key} cannot be set and unset at once.")
    changes = Changes(Registry(Project.find()), user=user)
    done = changes.update_stack(name, {**new, **dict.fromkeys(unset)})
    told([done], {"stack": name}, as_json=as_json)
