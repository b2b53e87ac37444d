"""`penstock run resume`: a run that goes on with an earlier one."""

from __future__ import annotations

from dataclasses import replace

import click

from penstock.api import commands
from penstock.api.asked import Asked
from penstock.cli import target
from penstock.cli.options import BY_STACK, run_argument, stack_option
from penstock.client import Client


@click.command(context_settings={"ignore_unknown_options": True})
@run_argument
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@stack_option
def resume(*, run_id: str, flags: tuple[str, ...], stack: str | None) -> None:
    """Go on with a run: what it has is taken from it, the rest is run.

    A new run begins, with the parameters and on the stack of that one; FLAGS of its pipeline change
    that, --json and all that `penstock pipeline run` takes. What has changed since runs again.
    """
    found = Client(stack, chosen_by=BY_STACK).run(run_id)
    typed = f"penstock pipeline run FILE:NAME --resume {found.id}"
    pipeline = target.of_run(found, f"Type: {typed}")
    by = BY_STACK if stack else f"that of run {found.id}; --stack names another"
    options = replace(pipeline.options, stack=stack or found.stack, chosen_by=by)
    said = commands.command(type(pipeline)(pipeline.function, options)).main(
        ["--resume", found.id, *flags],
        prog_name=f"penstock run resume {run_id}",
        standalone_mode=False,
    )
    if isinstance(said, Asked):  # else the help was shown
        commands.carry_out(said)
