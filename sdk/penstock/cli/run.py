"""`penstock run`: what has run, and how."""

from __future__ import annotations

from typing import Any

import click

from penstock.cli.output import facts, iso, json_option, moment, print_json, size, table
from penstock.client import Client
from penstock.errors import NotFound, listed
from penstock.runtime.observer import duration
from penstock.runtime.run import Run, StepView

stack_option = click.option("--stack", help="A stack other than the active one.")


@click.group()
def run() -> None:
    """What has run, and how."""


@run.command("list")
@click.option("--pipeline", help="Only runs of this pipeline.")
@click.option("--limit", default=20, show_default=True, help="How many, the newest first.")
@stack_option
@json_option
def list_runs(*, pipeline: str | None, limit: int, stack: str | None, as_json: bool) -> None:
    """The newest runs."""
    found = Client(stack).runs(pipeline=pipeline, limit=limit)
    if as_json:
        print_json([_run_data(each) for each in found])
    elif not found:
        click.echo("No runs yet.", err=True)
    else:
        table(
            ["RUN", "PIPELINE", "STATUS", "STARTED", "TOOK", "USER"],
            [
                [each.id, each.pipeline, each.status, moment(each.started),
                 duration(each.duration), each.record.user]
                for each in found
            ],
        )  # fmt: skip


@run.command()
@click.argument("run_id", metavar="RUN")
@stack_option
@json_option
def show(*, run_id: str, stack: str | None, as_json: bool) -> None:
    """One run: its steps with their times, memory and bytes. RUN is an id, its tail, or 'last'."""
    found = Client(stack).run(run_id)
    if as_json:
        print_json({**_run_data(found), "steps": [_step_data(view) for view in found]})
        return
    record = found.record
    facts(
        {
            "run": found.id,
            "pipeline": found.pipeline,
            "status": found.status,
            "stack": f"{record.stack} ({record.stack_origin})",
            "started": f"{moment(found.started)} by {record.user} on {record.host}",
            "took": duration(found.duration),
            "commit": record.commit or "none",
            **{f"  {name}": value for name, value in record.parameters.items()},
        }
    )
    click.echo()
    table(
        ["STEP", "STATUS", "WALL", "CPU", "PEAK MEMORY", "READ", "WRITTEN"],
        [_step_row(view) for view in found],
    )
    for view in found:
        if view.record.failure:
            click.echo(f"\n{view.id}:\n{view.record.failure.traceback}".rstrip())


@run.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step", required=False)
@stack_option
@json_option
def logs(*, run_id: str, step: str | None, stack: str | None, as_json: bool) -> None:
    """What the steps of a run printed and logged, or one step of it."""
    found = Client(stack).run(run_id)
    views = [_one(found, step)] if step else list(found)
    texts = {view.id: view.logs() for view in views}
    if not step and (rest := found.logs()):
        texts["(the run)"] = rest
    if as_json:
        print_json(texts)
    elif step:
        click.echo(texts[step], nl=False)
    else:
        for name, text in texts.items():
            for line in text.splitlines():
                click.echo(f"{name} | {line}")


def _one(found: Run[Any], step: str) -> StepView:
    if step not in found.record.calls:
        raise NotFound(
            f"Run {found.id} has no step {step!r}. Its steps: {listed(found.record.calls)}."
        )
    return found[step]


def _step_row(view: StepView) -> list[object]:
    record = view.record
    if not record.started:
        return [view.id, view.status, "", "", "", "", ""]
    status = f"cached ({record.source[0]})" if record.source else view.status
    return [
        view.id, status, duration(record.wall), duration(record.cpu),
        size(record.peak_memory) if record.peak_memory else "", size(record.read),
        size(record.written),
    ]  # fmt: skip


def _run_data(found: Run[Any]) -> dict[str, Any]:
    record = found.record
    return {
        "run": found.id,
        "pipeline": found.pipeline,
        "status": found.status,
        "stack": record.stack,
        "stack_origin": record.stack_origin,
        "started": iso(found.started),
        "seconds": found.duration,
        "user": record.user,
        "host": record.host,
        "commit": record.commit,
        "parameters": record.parameters,
        "versions": record.versions,
    }


def _step_data(view: StepView) -> dict[str, Any]:
    record = view.record
    return {
        "step": view.id,
        "status": view.status,
        "source": record.source,
        "key": record.key,
        "started": iso(record.started) if record.started else None,
        "wall": record.wall,
        "cpu": record.cpu,
        "peak_memory": record.peak_memory,
        "read": record.read,
        "written": record.written,
        "attempt": record.attempt,
        "outputs": {
            name: {"format": item.format, "digest": item.digest, "size": item.size}
            for name, item in record.outputs.items()
        },
        "failure": record.failure
        and {"kind": record.failure.kind, "message": record.failure.message},
    }
