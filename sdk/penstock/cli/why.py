"""`penstock run why`: why the steps of a run ran."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from penstock.api.ending import remark, say
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import json_option, print_json, table
from penstock.client import Client
from penstock.model.records import Status
from penstock.runtime.run import Run

if TYPE_CHECKING:
    from penstock.runtime.explaining.change import Change, Explanation

STEP: Final = ("step", "status", "against", "changes")
"""What `--json` says of a step. `against` is the earlier run that it is compared with, or null.
Each change has `kind`, `name`, `old`, `new`, `where`, `diff`, `words` and `because`."""


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step", required=False)
@stack_option
@json_option("run", "steps")
def why(*, run_id: str, step: str | None, stack: str | None, as_json: bool) -> None:
    """Why the steps of a run ran, or one step of it. RUN is an id, its tail, or 'last'.

    Each step is compared with the nearest earlier record of it: which code was edited, which
    parameter, input or package is another one, or why the cache could not be used. As JSON, each
    of the 'steps' has a 'step', a 'status', a run 'against' which it is compared, and 'changes'.
    """
    found = Client(stack, chosen_by=BY_STACK).run(run_id)
    explained = found.why(step)
    if as_json:
        print_json({"run": found.id, "steps": [of_explanation(each) for each in explained]})
    elif len(explained) == 1 and step is not None:
        _of_step(found, explained[0])
    else:
        _of_run(explained)


def of_explanation(found: Explanation) -> dict[str, Any]:
    """As JSON shows it."""
    return {
        "step": found.step,
        "status": found.status,
        "against": found.against or None,
        "changes": [of_change(change) for change in found.changes],
    }


def of_change(change: Change) -> dict[str, Any]:
    """As JSON shows it: what there is not is null."""
    return {name: value or None for name, value in asdict(change).items()} | {
        "old": change.old,
        "new": change.new,
    }


def print_diffs(changes: Iterable[Change]) -> None:
    """What was edited, each edit once."""
    for diff in dict.fromkeys(change.diff for change in changes if change.diff):
        say(f"\n{diff}")


def _of_run(explained: Sequence[Explanation]) -> None:
    """A line for each step that ran, the edits once, and where the others were taken from."""
    ran = [each for each in explained if each.status is not Status.CACHED]
    if ran:
        table(["STEP", "STATUS", "WHY"], [[each.step, _status(each), each.words] for each in ran])
        print_diffs(change for each in ran for change in each.changes)
    sources: dict[str, list[str]] = {}
    for each in explained:
        if each.status is Status.CACHED:
            sources.setdefault(each.words, []).append(each.step)
    if ran and sources:
        say("")
    for words, steps in sources.items():
        say(f"{words}: {', '.join(steps)}")
    if not explained:
        remark("It has no steps.")


def _of_step(found: Run[Any], each: Explanation) -> None:
    """All that is known of one step."""
    compared = each.against and each.status is not Status.CACHED
    against = f", beside run {each.against}" if compared else ""
    say(f"{each.step} of run {found.id}: {_status(each)}{against}")
    for change in each.changes:
        say(f"  {_line(change)}")
    print_diffs(each.changes)


def _line(change: Change) -> str:
    """One change, with the reason of the step that made it."""
    return f"{change.words}; {change.where}: {change.because}" if change.because else change.words


def _status(found: Explanation) -> str:
    return found.status.replace("_", " ")
