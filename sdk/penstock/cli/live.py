"""`penstock run watch`, `run cancel` and `run logs -f`: runs that go on in another process.

Everything by what the store says: there is no connection to that process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

import click

from penstock.api.ending import remark, say
from penstock.cli import shapes
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import json_option, print_json, print_text
from penstock.client import Client
from penstock.errors import RunError
from penstock.model.records import Status
from penstock.runtime import logs, observer
from penstock.runtime.run import Run

AGAIN: Final = 1.0
"""Seconds between two looks into the store."""

PATIENCE: Final = 15.0
"""Seconds that a run that is cancelled has to end."""


@click.command()
@click.argument("run_id", metavar="[RUN]", default="last")
@stack_option
@json_option(*shapes.RUN)
def watch(*, run_id: str, stack: str | None, as_json: bool) -> None:
    """Show a run as its own terminal does, until it ends. RUN is an id, its tail, or 'last'.

    Ctrl-C ends the watching only. The exit code is 0 if the run is completed, and 1 if it is not.
    With --json the lines go to stderr, and the object comes at the end.
    """
    found = Client(stack, chosen_by=BY_STACK).run(run_id)
    told = observer.for_stream(sys.stderr if as_json else sys.stdout)
    follower = found.follow(told)
    follower.begin()
    status = _until_the_end(follower.look)
    told.run_finished(found.id, status, found.duration)
    if as_json:
        print_json(shapes.of_run(found))
    _end(found, status)


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
    where = f"process {found.record.process} on {found.record.host}"
    if not no_wait:
        remark(f"Waiting until {where} has stopped run {found.id}.")
        _wait(found)
    if as_json:
        print_json(shapes.of_run(found))
    elif no_wait:
        say(f"Run {found.id} is to be stopped by {where}.")
    else:
        say(f"Run {found.id} is {found.status}: {found.reason or 'it had come to its end'}.")


def follow_logs(found: Run[Any], step: str | None) -> None:
    """Print what steps say as they do, until the run ends."""
    calls = tuple(found.named(step)) if step else (*found.record.calls, logs.RUN)
    follower = found.follow_logs(calls)
    alone = step is not None and len(calls) == 1

    def look() -> Status:
        status = found.status
        for call, text in follower.look(last=status is not Status.RUNNING):
            print_text(None if call == logs.RUN else call, text, alone=alone)
        return status

    status = _until_the_end(look)
    if status is Status.LOST:
        remark(lost(found))


def lost(found: Run[Any]) -> str:
    """Why nobody expects anything of a run any more, and what can be done."""
    where = f"process {found.record.process} on {found.record.host}"
    said = f"P{where[1:]}, which ran it, is gone"
    if not found.is_here:
        said = f"There is no sign of life of {where}, which ran it"
    return f"{said}. Run the pipeline again: what was finished is taken from the cache."


def _until_the_end(look: Callable[[], Status]) -> Status:
    while (status := look()) is Status.RUNNING:
        time.sleep(AGAIN)
    return status


def _wait(found: Run[Any]) -> None:
    end = time.monotonic() + PATIENCE
    while found.status is Status.RUNNING:
        if time.monotonic() > end:
            raise RunError(
                f"Run {found.id} has not stopped within {PATIENCE:g} s.",
                hint=f"It will as soon as its process sees it. Type: penstock run watch {found.id}",
            )
        time.sleep(AGAIN / 4)


def _end(found: Run[Any], status: Status) -> None:
    """The exit code says whether the run has given what it was to give."""
    if status is Status.LOST:
        remark(lost(found))
    if not status.usable:
        click.get_current_context().exit(1)
