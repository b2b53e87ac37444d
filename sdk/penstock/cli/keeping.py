"""`penstock run pin` and `run delete`: which runs stay, whatever is cleaned, and which go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from penstock.api.ending import remark, say
from penstock.cli.options import BY_STACK, run_argument, stack_option
from penstock.cli.output import json_option, print_json
from penstock.client import Client
from penstock.runtime.run import Run
from penstock.runtime.step_view import StepView


@click.command()
@run_argument
@click.option("--off", is_flag=True, help="Let it go like any other run.")
@stack_option
@json_option("run", "pinned")
def pin(*, run_id: str, off: bool, stack: str | None, as_json: bool) -> None:
    """Keep a run, whatever is cleaned. RUN is an id, its tail, or 'last'."""
    found = Client(stack, chosen_by=BY_STACK).run(run_id)
    found.unpin() if off else found.pin()
    if as_json:
        print_json({"run": found.id, "pinned": not off})
    else:
        say(f"{found.id} is {'no longer ' * off}pinned")


@click.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@stack_option
@json_option("deleted")
def delete(*, run_ids: Sequence[str], stack: str | None, as_json: bool) -> None:
    """Delete the records and logs of runs. RUN is an id, its tail, or 'last'.

    What they have stored stays as long as other runs or the cache need it: `penstock gc` deletes
    the rest. A run that is running or pinned, or has an output with a tag, is not deleted.
    """
    client = Client(stack, chosen_by=BY_STACK)
    deleted = []
    for run_id in run_ids:
        deleted.append(client.delete(run_id))
        if not as_json:
            say(f"{deleted[-1]} is deleted")
    if as_json:
        print_json({"deleted": deleted})
    else:
        remark("What they stored and nobody needs goes with: penstock gc --delete")


def cleaned(run: Run[Any], views: Sequence[StepView]) -> dict[str, list[str]]:
    """The runs that have computed cached steps and are gone by now, and which steps."""
    sources: dict[str, list[str]] = {}
    for view in views:
        if view.record.source and view.record.source[0] != run.id:
            sources.setdefault(view.record.source[0], []).append(view.id)
    return {id: steps for id, steps in sources.items() if not run.knows(id)}
