"""`training.cli()`: the command line of one pipeline."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from inspect import getdoc
from typing import TYPE_CHECKING, Any, Never

import click

from penstock.api.flags import assembled, flags
from penstock.errors import PenstockError, RunFailed
from penstock.runtime import loading

if TYPE_CHECKING:
    from penstock.api.pipeline import Pipeline


def run(pipeline: Pipeline[..., Any], args: Sequence[str] | None) -> Never:
    """Parse, run, and end the process with an exit code."""
    loading.refuse_while_importing(f"{pipeline.name}.cli()")
    try:
        command(pipeline).main(args, prog_name=sys.argv[0], standalone_mode=False)
        code = 0
    except RunFailed as error:
        if error.__cause__ is not None:
            step = next(view for view in error.run if view.record.failure)
            click.echo(step.record.failure.traceback, err=True, nl=False)
        click.echo(f"Error: {error}", err=True)
        code = error.exit_code
    except PenstockError as error:
        click.echo(f"Error: {error}", err=True)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    sys.exit(code)


def command(pipeline: Pipeline[..., Any]) -> click.Command:
    """The click command. Raises `BadStep` for a parameter named like one of our flags."""
    mine = list(flags(pipeline.signature, pipeline.function.__name__))

    def call(*, stack: str | None, no_cache: bool, as_json: bool, **given: Any) -> None:
        said = {
            flag.path: flag.value(given[flag.key.lower()])
            for flag in mine
            if given[flag.key.lower()] is not None
        }
        chosen = pipeline
        if stack is not None:
            chosen = chosen.with_options(stack=stack, chosen_by="--stack")
        if no_cache:
            chosen = chosen.with_options(cache=False)
        finished = chosen.run(**assembled(pipeline.signature, said))
        if as_json:
            steps = {view.id: view.status for view in finished}
            click.echo(json.dumps({"run": finished.id, "status": finished.status, "steps": steps}))

    ours = [
        click.Option(["--stack"], help="Run on this stack instead of the active one."),
        click.Option(["--no-cache"], is_flag=True, help="Take nothing from the cache."),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the outcome as JSON."),
    ]
    return click.Command(
        pipeline.name,
        callback=call,
        params=[*(flag.option() for flag in mine), *ours],
        help=getdoc(pipeline.function),
        context_settings={"help_option_names": ["-h", "--help"]},
    )
