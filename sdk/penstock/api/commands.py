"""`training.cli()`: the command line of one pipeline."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import getdoc
from typing import TYPE_CHECKING, Any, Never

import click

from penstock.api.ending import ended, remark, say
from penstock.api.flags import assembled, flags
from penstock.errors import PenstockError, RunError, RunFailed
from penstock.runtime import loading
from penstock.runtime.attempt import trim

if TYPE_CHECKING:
    from penstock.api.pipeline import Pipeline
    from penstock.runtime.run import Run


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command line says."""

    arguments: dict[str, Any]
    """Those of the pipeline that were given."""
    stack: str | None
    no_cache: bool
    as_json: bool


def run(pipeline: Pipeline[..., Any], args: Sequence[str] | None) -> Never:
    """Parse, run, and end the process with an exit code."""
    loading.refuse_while_importing(f"{pipeline.name}.cli()")
    sys.exit(ended(lambda: _carry_out(pipeline, args)))


def command(pipeline: Pipeline[..., Any]) -> click.Command:
    """The click command, which gives back what was `Asked`.

    Raises `BadStep` for a parameter named like one of our flags.
    """
    mine = flags(pipeline.signature, pipeline.function.__name__)

    def asked(*, stack: str | None, no_cache: bool, as_json: bool, **given: Any) -> Asked:
        said = {flag.path: given[flag.key] for flag in mine if given[flag.key] is not None}
        return Asked(assembled(pipeline.signature, said), stack, no_cache, as_json)

    ours = [
        click.Option(["--stack"], help="Run on this stack instead of the active one."),
        click.Option(["--no-cache"], is_flag=True, help="Take nothing from the cache."),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            help="Print JSON: one object with run, pipeline, status, steps.",
        ),
    ]
    return click.Command(
        pipeline.name,
        callback=asked,
        params=[*(flag.option() for flag in mine), *ours],
        help=getdoc(pipeline.function),
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _carry_out(pipeline: Pipeline[..., Any], args: Sequence[str] | None) -> None:
    asked = command(pipeline).main(args, prog_name=_program(), standalone_mode=False)
    if not isinstance(asked, Asked):  # the help was shown
        return
    if asked.stack is not None:
        options = replace(pipeline.options, stack=asked.stack, chosen_by="--stack")
        pipeline = type(pipeline)(pipeline.function, options)
    if asked.no_cache:
        pipeline = pipeline.with_options(cache=False)
    try:
        finished = pipeline.run(**asked.arguments)
    except RunFailed as error:
        if asked.as_json:
            _print_outcome(error.run)
        raise
    except PenstockError:
        raise
    except Exception as error:  # what the pipeline's own lines raise, between the steps
        trim(error, pipeline.function)
        remark("".join(traceback.format_exception(error)).rstrip("\n"))
        said = f"{type(error).__qualname__}: {error}"
        raise RunError(f"Pipeline {pipeline.name!r} stopped with {said}") from error
    if asked.as_json:
        _print_outcome(finished)


def _print_outcome(finished: Run[Any]) -> None:
    steps = {view.id: view.status for view in finished}
    data = {"run": finished.id, "pipeline": finished.pipeline, "status": finished.status}
    say(json.dumps({**data, "steps": steps}, indent=2))


def _program() -> str | None:
    """How this program was called, as it can be typed again; None leaves it to click."""
    name = sys.argv[0]
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return f"python {os.path.relpath(name)}" if spec is None and name.endswith(".py") else None
