"""`penstock run replay`: one step of a run once more."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from typing import Any

import click

from penstock.api import debugger
from penstock.api.ending import remark
from penstock.cli import target
from penstock.cli.options import BY_STACK, run_argument, stack_option
from penstock.cli.output import json_option, print_json
from penstock.client import Client
from penstock.errors import PenstockError, RunError
from penstock.model.records import Status
from penstock.runtime.replaying import Replay
from penstock.runtime.run import Run


@click.command()
@run_argument
@click.argument("step")
@click.option("--pdb", is_flag=True, help="Open the debugger where the step fails.")
@stack_option
@json_option("run", "step", "outputs", "changed")
def replay(*, run_id: str, step: str, pdb: bool, stack: str | None, as_json: bool) -> None:
    """Run one step again on the inputs that it was given, here and in the foreground.

    Nothing is written to the store. It is said whether the outputs are what was recorded. With
    --json each of the 'outputs' is true if so, 'changed' says what is another than then, and what
    the step prints goes to stderr.
    """
    if pdb:
        debugger.check()
    found = Client(stack, chosen_by=BY_STACK).run(run_id)
    target.module_of(found, f"cd to its folder, and type: penstock run replay {found.id} {step}")
    again = found.replaying(step)
    with redirect_stdout(sys.stderr if as_json else sys.stdout):
        value = _carried_out(again, step, found[step].status, pdb=pdb)
    outputs = again.compared(value)
    if as_json:
        data = {"run": found.id, "step": step, "outputs": outputs}
        print_json({**data, "changed": again.changed or None})
    else:
        _tell(found, step, outputs, again.changed)


def _carried_out(again: Replay, step: str, status: Status, *, pdb: bool) -> Any:
    """What the step returns. Raises `RunError` for what it raises."""
    try:
        value = again.value()
        with suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()  # what is said of it comes after it, also in a file
        return value
    except PenstockError:
        raise
    except (Exception, SystemExit) as error:
        if pdb:
            debugger.look(error)
        else:
            remark("".join(traceback.format_exception(error)).rstrip("\n"))
        said = f"{type(error).__qualname__}: {error}"
        once_more = " again" if status in (Status.FAILED, Status.TIMED_OUT) else ""
        raise RunError(f"Step {step} failed{once_more}: {said}") from error


def _tell(found: Run[Any], step: str, outputs: Mapping[str, bool], changed: str) -> None:
    if changed:
        remark(f"Step {step} is not what it was in run {found.id}: {changed}.")
    if not outputs:
        remark(f"Run {found.id} has no result of step {step} to compare with: "
               f"it is {found[step].status}.")  # fmt: skip
    for name, equal in outputs.items():
        remark(f"Output {name!r} is {'equal to' if equal else 'not'} what run {found.id} has.")
