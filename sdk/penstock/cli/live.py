"""`penstock run watch`, `run cancel` and `run logs -f`: runs that go on in another process.

Everything by what the store says, and the engine if one carries the run out: there is no connection
to that process.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from penstock.api.ending import remark, say
from penstock.cli import shapes
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import json_option, print_json, print_text
from penstock.client import Client
from penstock.errors import EngineError, RunError
from penstock.model.records import Status
from penstock.runtime import logs, observer
from penstock.runtime.run import Run

PATIENCE: Final = 15.0
"""Seconds that a run that is cancelled has to end."""

PATIENCE_ELSEWHERE: Final = 60.0
"""The same if an engine has to end its processes."""


@click.command()
@click.argument("run_id", metavar="[RUN]", default="last")
@stack_option
@json_option(*shapes.RUN)
def watch(*, run_id: str, stack: str | None, as_json: bool) -> None:
    """Show a run as its own terminal does, until it ends. RUN is an id, its tail, or 'last'.

    Ctrl-C ends the watching only. The exit code is 0 if the run is completed, 1 if it is not, and
    5 if the engine that had it has lost it. With --json the lines go to stderr, and the object
    comes at the end.
    """
    found = Client(stack, chosen_by=BY_STACK).run(run_id)
    told = observer.for_stream(sys.stderr if as_json else sys.stdout)
    watching = found.watching(told)
    watching.begin()
    status = watching.until_over() or found.status
    told.run_finished(found.id, status, found.duration)
    if as_json:
        print_json(shapes.of_run(found))
    _end(found, status, is_gone=watching.is_gone)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--no-wait", is_flag=True, help="Do not wait until it has stopped.")
@stack_option
@json_option(*shapes.RUN)
def cancel(*, run_id: str, no_wait: bool, stack: str | None, as_json: bool) -> None:
    """Stop a run that goes on in another process, wherever it is. RUN is an id, its tail, or
    'last'."""
    found = Client(stack, chosen_by=BY_STACK).run(run_id)
    found.cancel()
    where = _where(found)
    if not no_wait:
        remark(f"Waiting until {where} has stopped run {found.id}.")
        _wait(found)
    if as_json:
        print_json(shapes.of_run(found))
    elif no_wait:
        say(f"Run {found.id} is to be stopped by {where}.")
    else:
        why = found.reason.rstrip(".") or "it had come to its end"
        say(f"Run {found.id} is {found.status}: {why}.")


def follow_logs(found: Run[Any], step: str | None) -> None:
    """Print what steps say as they do, until the run ends."""
    calls = tuple(found.named(step)) if step else (*found.record.calls, logs.RUN)
    alone = step is not None and len(calls) == 1

    def heard(call: str, text: str) -> None:
        print_text(None if call == logs.RUN else call, text, alone=alone)

    status = found.watching(observer.Silent(), heard, calls).until_over()
    if status is Status.LOST:
        remark(lost(found))


def lost(found: Run[Any]) -> str:
    """Why nobody expects anything of a run any more, and what can be done."""
    where = _where(found)
    if found.record.elsewhere:
        silent = f"There is no sign of life of its steps, which ran at {where}"
        said = found.reason.rstrip(".") or silent
        return f"{said}. Go on with what is finished: penstock run resume {found.id}"
    said = f"P{where[1:]}, which ran it, is gone"
    if not found.is_here:
        said = f"There is no sign of life of {where}, which ran it"
    return f"{said}. Run the pipeline again: what was finished is taken from the cache."


def _where(found: Run[Any]) -> str:
    """Who carries it out."""
    if found.engine is not None:
        return found.engine.name
    if found.record.elsewhere:
        return f"the engine {found.record.orchestrator!r}"
    return f"process {found.record.process} on {found.record.host}"


def _wait(found: Run[Any]) -> None:
    patience = PATIENCE_ELSEWHERE if found.record.elsewhere else PATIENCE
    if found.watching(observer.Silent()).until_over(patience) is None:
        who = "the engine has ended it" if found.engine is not None else "its process sees it"
        raise RunError(
            f"Run {found.id} has not stopped within {patience:g} s.",
            hint=f"It will as soon as {who}. Type: penstock run watch {found.id}",
        )


def _end(found: Run[Any], status: Status, *, is_gone: bool) -> None:
    """The exit code says whether the run has given what it was to give."""
    if status is Status.LOST:
        remark(lost(found))
    elif not status.usable and found.reason and found.record.elsewhere:
        remark(f"Run {found.id} is {status}: {found.reason.rstrip('.')}.")
    if not status.usable:
        click.get_current_context().exit(EngineError.exit_code if is_gone else 1)
