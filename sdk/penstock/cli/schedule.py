"""`penstock schedule`: pipelines that an engine starts by the clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import click

from penstock.api import asked, commands
from penstock.api.asked import Asked
from penstock.api.ending import remark
from penstock.api.flags import OURS
from penstock.api.pipeline import Pipeline
from penstock.cli.group import Group
from penstock.cli.of_pipeline import OfPipeline
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import facts, iso, json_option, moment, print_json, table
from penstock.cli.shapes import parsed
from penstock.client import Client
from penstock.errors import BadConfiguration
from penstock.model import durations
from penstock.model.cron import Cron
from penstock.runtime.run import Run
from penstock.runtime.scheduling.engines import Engines
from penstock.runtime.scheduling.known import Known, Schedulings
from penstock.runtime.scheduling.making import Created
from penstock.stack.engine import Timing

TAKEN: Final = {
    "cron": "says when",
    "every": "says how often",
    "name": "is the schedule's",
    "at_once": "says how many runs there are at a time",
}
"""Names that flags of `create` have besides those of a run."""

SCHEDULE: Final = (
    "schedule", "pipeline", "state", "cron", "every", "at_once", "next", "stack", "parameters",
    "user", "created", "url", "last",
)  # fmt: skip
"""What `--json` prints of each. `every` is seconds, `last` the newest run of it, with its `run` and
`status`."""

FEW: Final = 100
"""Runs among which the last one of each schedule is looked for."""


def _creating(pipeline: Pipeline[..., Any]) -> click.Command:
    """The command for the flags of a pipeline that is to be scheduled."""
    options = [
        click.Option(
            ["--cron"], metavar="CRON",
            help='When, in UTC: minute hour day-of-month month day-of-week, as in "0 6 * * MON".',
        ),
        click.Option(["--every"], metavar="TIME", help="Or how often, for example 1h or 90s."),
        click.Option(["--name"], help="What the schedule is called; by default as the pipeline."),
        click.Option(
            ["--at-once"], type=click.IntRange(1), default=1, show_default=True,
            help="How many of its runs there are at most at a time.",
        ),
        click.Option(["--stack"], help="On this stack instead of the active one."),
        click.Option(["--json", "as_json"], is_flag=True,
                     help=f"Print JSON: one object with {', '.join(SCHEDULE)}."),
    ]  # fmt: skip
    return asked.command(pipeline, options, OURS | TAKEN)


@click.group(cls=Group)
def schedule() -> None:
    """Pipelines that an engine starts by the clock, each time as a run of its own."""


@schedule.group(cls=OfPipeline, make=_creating)
def create() -> None:
    """Have a pipeline started again and again: --cron or --every says when.

    What it is given now, it is given each time, and it is the code of now that runs. Each step
    looks in the cache when it starts.

    FILE alone will do if it has one pipeline; package.module:NAME names one in a module. Its own
    flags come after it: type --help there.
    """


@create.result_callback()
def made(said: Asked) -> None:
    ours = said.ours
    timing = _timing(ours["cron"], ours["every"])
    name = said.pipeline.name if ours["name"] is None else ours["name"]
    created = commands.scheduled(said, name, timing, ours["at_once"])
    for note in created.notes:
        remark(f"note: {note}")
    known = Known(created.record, "active", created.schedule)
    if ours["as_json"]:
        print_json(_data(known, None))
        return
    _say(known, created)


def _say(known: Known, created: Created) -> None:
    record = known.record
    facts(
        {
            "schedule": record.name,
            "pipeline": record.pipeline,
            "fires": _fires(known),
            **({"next": _next(known)} if known.next else {}),
            "on": f"{created.engine}, stack {record.stack}",
            **({"page": record.url} if record.url else {}),
            **{f"  {name}": value for name, value in record.parameters.items()},
        }
    )


@schedule.command("list")
@stack_option
@json_option(*SCHEDULE, many=True)
def list_schedules(*, stack: str | None, as_json: bool) -> None:
    """The schedules of the store, and what their engines say of them.

    'gone' are those that somebody has deleted in the engine, 'unfinished' those whose making was
    interrupted.
    """
    client = Client(stack, chosen_by=BY_STACK)
    found = list(_of(client).all(lambda text: remark(f"Warning: {text}")))
    last = _last(client, {each.record.plan for each in found}) if found else {}
    if as_json:
        print_json([_data(each, last.get(each.record.plan)) for each in found])
    elif not found:
        remark(f"No schedules in {client.active_stack.artifact_store.path} yet.")
    else:
        table(
            ["SCHEDULE", "PIPELINE", "STATE", "FIRES", "NEXT", "LAST RUN", "STATUS", "USER"],
            [_row(each, last.get(each.record.plan)) for each in found],
        )


@schedule.command()
@click.argument("name", metavar="NAME")
@stack_option
def pause(*, name: str, stack: str | None) -> None:
    """Let a schedule fire no more, until it is resumed. What it has started goes on."""
    _of(Client(stack, chosen_by=BY_STACK)).pause(name)
    remark(f"Paused: {name}. To go on: penstock schedule resume {name}")


@schedule.command()
@click.argument("name", metavar="NAME")
@stack_option
def resume(*, name: str, stack: str | None) -> None:
    """Let a schedule fire again. What it has missed meanwhile is not made up for."""
    known = _of(Client(stack, chosen_by=BY_STACK)).resume(name)
    at = f", next at {_next(known)}" if known.next else ""
    remark(f"Resumed: {name} fires {_fires(known)}{at}")


@schedule.command()
@click.argument("name", metavar="NAME")
@click.option("--only-here", is_flag=True,
              help="Delete what the store says of it, and ask no engine.")  # fmt: skip
@stack_option
def delete(*, name: str, only_here: bool, stack: str | None) -> None:
    """Take a schedule away. What it has started goes on, and its runs stay."""
    schedules = _of(Client(stack, chosen_by=BY_STACK))
    if only_here:
        schedules.forget(name)
        remark(f"Deleted from the store: {name}. Whether an engine has it was not asked.")
        return
    known = schedules.delete(name)
    where = "" if known.schedule else " from the store; its engine had none"
    remark(f"Deleted{where}: {name}")


def _timing(cron: str | None, every: str | None) -> Timing:
    """When it is to fire. Raises `BadConfiguration`."""
    if (cron is None) == (every is None):
        raise click.UsageError('Say when: either --cron "0 6 * * *" or --every 1h.')
    if cron is not None:
        return Timing(cron=Cron.parsed(cron).text)
    assert every is not None
    seconds = durations.seconds(every)
    if seconds is None or seconds % 1:
        raise BadConfiguration(
            f"--every {every} is no number of whole seconds that a schedule can wait.",
            hint="Write for example --every 1h, --every 90s or --every 1d.",
        )
    return Timing(every=int(seconds))


def _of(client: Client) -> Schedulings:
    stack = client.active_stack
    return Schedulings(stack.artifact_store, Engines(client.registry, stack))


def _last(client: Client, plans: set[str]) -> dict[str, Run[Any]]:
    """The newest run with each of these plans that an engine has begun, among the newest of all."""
    found: dict[str, Run[Any]] = {}
    for run in client.runs(limit=FEW):
        if run.record.job and run.record.plan in plans:
            found.setdefault(run.record.plan, run)
    return found


def _row(known: Known, last: Run[Any] | None) -> list[str]:
    run = (last.id, str(last.status).replace("_", " ")) if last else ("", "")
    record = known.record
    return [
        record.name, record.pipeline, known.state, _fires(known), _next(known), *run, record.user,
    ]  # fmt: skip


def _fires(known: Known) -> str:
    record = known.record
    return f"{record.cron} UTC" if record.cron else f"every {durations.written(record.every)}"


def _next(known: Known) -> str:
    """In the time zone of whoever reads it, as all times of day."""
    return moment(known.next.timestamp()) if known.next else ""


def _data(known: Known, last: Run[Any] | None) -> dict[str, Any]:
    record = known.record
    return {
        "schedule": record.name,
        "pipeline": record.pipeline,
        "state": known.state,
        "cron": record.cron or None,
        "every": record.every or None,
        "at_once": record.at_once,
        "next": _iso(known.next),
        "stack": record.stack,
        "parameters": {name: parsed(text) for name, text in record.parameters.items()},
        "user": record.user,
        "created": iso(record.created),
        "url": record.url,
        "last": {"run": last.id, "status": last.status} if last else None,
    }


def _iso(at: datetime | None) -> str | None:
    return iso(at.timestamp()) if at else None
