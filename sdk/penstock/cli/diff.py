"""`penstock run diff`: two runs beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from penstock.api.ending import say
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import json_option, print_json, table
from penstock.cli.why import of_change, print_diffs
from penstock.client import Client
from penstock.quantities import duration

if TYPE_CHECKING:
    from penstock.runtime.explaining.change import Change
    from penstock.runtime.explaining.difference import Difference, StepDifference


@click.command()
@click.argument("before", metavar="RUN")
@click.argument("after", metavar="RUN")
@stack_option
@json_option("runs", "seconds", "parameters", "code", "packages", "steps")
def diff(*, before: str, after: str, stack: str | None, as_json: bool) -> None:
    """What is different in the second run: parameters, code, packages, results and times.

    RUN is an id, its tail, or 'last'. As JSON, each of the 'steps' has a 'step', its 'statuses' and
    'seconds' in both runs, 'same_key', 'same_outputs' and 'changes'.
    """
    client = Client(stack, chosen_by=BY_STACK)
    found = client.run(before).diff(client.run(after))
    if as_json:
        print_json(of_difference(found))
        return
    say(f"{found.runs[0]}  {duration(found.seconds[0])}")
    say(f"{found.runs[1]}  {duration(found.seconds[1])}")
    _section("Parameters", found.parameters)
    _section("Packages", found.packages)
    _section("Code", found.code)
    print_diffs(found.code)
    say("")
    table(["STEP", "STATUS", "WALL", "KEY", "OUTPUTS", "WHY"], [_row(each) for each in found.steps])


def of_difference(found: Difference) -> dict[str, Any]:
    """As JSON shows it."""
    return {
        "runs": found.runs,
        "seconds": [round(each, 6) for each in found.seconds],
        "parameters": [of_change(each) for each in found.parameters],
        "code": [of_change(each) for each in found.code],
        "packages": [of_change(each) for each in found.packages],
        "steps": [
            {
                "step": each.step,
                "statuses": each.statuses,
                "seconds": each.seconds,
                "same_key": each.same_key,
                "same_outputs": each.same_outputs,
                "changes": [of_change(change) for change in each.changes],
            }
            for each in found.steps
        ],
    }


def _section(title: str, changes: Sequence[Change]) -> None:
    if changes:
        say(f"\n{title}:")
        say("\n".join(f"  {change.words}" for change in changes))


def _row(step: StepDifference) -> list[str]:
    statuses = [str(each or "not in it").replace("_", " ") for each in step.statuses]
    seconds = ["" if each is None else duration(each) for each in step.seconds]
    return [
        step.step, _both(*statuses), _both(*seconds), _same(step.same_key, "same", "other"),
        _same(step.same_outputs, "equal", "different"), step.words,
    ]  # fmt: skip


def _both(old: str, new: str) -> str:
    return old if old == new else f"{old or '?'} → {new or '?'}"


def _same(same: bool | None, yes: str, no: str) -> str:
    return "" if same is None else yes if same else no
