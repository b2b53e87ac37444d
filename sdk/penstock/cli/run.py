"""`penstock run`: what has run, and how."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from penstock.api.ending import remark, say
from penstock.cli import diff, keeping, live, replay, resume, shapes, why
from penstock.cli.folded import Folded
from penstock.cli.group import Group
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import facts, json_option, moment, print_json, print_text, table
from penstock.client import Client
from penstock.errors import CorruptArtifact
from penstock.lazy import lazy
from penstock.model.records import Status, StepRun
from penstock.quantities import duration, size
from penstock.runtime.left_out import LeftOut
from penstock.runtime.run import Run
from penstock.runtime.step_view import StepView

if TYPE_CHECKING:
    from penstock.runtime import report
else:
    report = lazy("penstock.runtime.report")  # only where one is asked for

Text = tuple[str | None, str]
"""A step's id, or None, and what it printed."""


@click.group(cls=Group)
def run() -> None:
    """What has run, and how."""


run.add_command(live.watch)
run.add_command(live.cancel)
run.add_command(why.why)
run.add_command(diff.diff)
run.add_command(keeping.pin)
run.add_command(keeping.delete)
run.add_command(replay.replay)
run.add_command(resume.resume)


@run.command("list")
@click.option("--pipeline", help="Only runs of this pipeline.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True,
              help="How many, the newest first.")  # fmt: skip
@stack_option
@json_option(*shapes.RUN, many=True)
def list_runs(*, pipeline: str | None, limit: int, stack: str | None, as_json: bool) -> None:
    """The newest runs."""
    found = []
    left_out = LeftOut()
    client = Client(stack, chosen_by=BY_STACK)
    runs = client.runs(pipeline=pipeline, limit=limit)
    pinned = client.pinned(runs)
    for each in runs:
        try:
            found.append((each.started, shapes.of_run(each, each.id in pinned)))
        except CorruptArtifact as error:
            left_out.add(each.id, error)
    if left_out.said:
        remark(f"Warning: {left_out.said}")
    if as_json:
        print_json([data for _, data in found])
    elif not found:
        remark("No runs yet." if pipeline is None else f"No runs of {pipeline!r} yet.")
    else:
        table(
            ["RUN", "PIPELINE", "STATUS", "STARTED", "TOOK", "USER"],
            [
                [data["run"], data["pipeline"], _status(data), moment(started),
                 duration(data["seconds"]), data["user"]]
                for started, data in found
            ],
        )  # fmt: skip


@run.command()
@click.argument("run_id", metavar="RUN")
@stack_option
@click.option("--html", "page", type=click.Path(path_type=Path), metavar="FILE",
              help="Write all there is to see of it into one HTML file instead.")  # fmt: skip
@json_option(*shapes.RUN, "steps")
def show(*, run_id: str, stack: str | None, page: Path | None, as_json: bool) -> None:
    """One run: its steps with their times, memory and bytes. RUN is an id, its tail, or 'last'."""
    found = Client(stack, chosen_by=BY_STACK).run(run_id)
    if page is not None:
        written = str(report.write(found, page))
        print_json({"path": os.path.abspath(written)}) if as_json else say(written)
        return
    views = list(found)
    if as_json:
        steps = [shapes.of_step(found, view) for view in views]
        print_json({**shapes.of_run(found), "steps": steps})
        return
    status = found.status
    _head(found, status)
    say("")
    folded = Folded(views)
    table(
        ["STEP", "STATUS", "WALL", "CPU", "MEMORY", "READ", "WRITTEN"],
        [[folded.name(view), *_row(view.record)] for view in folded.views],
    )
    _sources(folded.views)
    if skipped := folded.skipped():
        say("\n" + "\n".join(skipped))
    for view in views:
        _metadata(view)
    for view in views:
        if view.record.failure:
            _failure(found, view)
    _next(found, status, views)


@run.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is said, until the run ends.")
@stack_option
@json_option("run", "logs")
def logs(*, run_id: str, step: str | None, follow: bool, stack: str | None, as_json: bool) -> None:
    """What the steps of a run printed and logged, or one step of it.

    As JSON, each of the 'logs' has a 'step', null for what no step is known for, and a 'text'.
    """
    found = Client(stack, chosen_by=BY_STACK).run(run_id)
    if follow and as_json:
        raise click.UsageError("--json is for what is there, and --follow for what comes.")
    if follow:
        _views(found, step)  # or an error that says which steps there are
        live.follow_logs(found, step)
        return
    views = _views(found, step)
    texts: list[Text] = [(view.id, view.logs()) for view in views]
    for run_id, steps in keeping.cleaned(found, views).items():
        remark(f"Run {run_id} was cleaned, and with it the logs of {', '.join(steps)}.")
    if step is None and (rest := found.logs()):
        texts.append((None, rest))
    if as_json:
        print_json({"run": found.id, "logs": [{"step": id, "text": text} for id, text in texts]})
    elif not any(text for _, text in texts):
        remark(f"Nothing was printed or logged in run {found.id}.")
    else:
        for id, text in texts:
            print_text(id, text, alone=step is not None and len(texts) == 1)


def _views(found: Run[Any], step: str | None) -> list[StepView]:
    """All steps, or those that the name stands for."""
    if step is None:
        return list(found)
    _ = found[step]  # or an error that says which steps there are
    return [found[id] for id in found.named(step)]


def _head(found: Run[Any], status: Status) -> None:
    record = found.record
    facts(
        {
            "run": found.id,
            "pipeline": found.pipeline,
            "status": _words(status) + (f" ({found.reason})" if found.reason else ""),
            "stack": f"{record.stack} ({record.stack_origin})",
            "started": f"{moment(found.started)} by {record.user} on {record.host}",
            "took": duration(found.duration),
            **({"part": record.part} if record.part else {}),
            **({"resumed": record.resumed} if record.resumed else {}),
            **({"commit": record.commit} if record.commit else {}),
            **({"pinned": "yes, no cleaning takes it away"} if found.pinned else {}),
            **{f"  {name}": value for name, value in record.parameters.items()},
        }
    )


def _row(record: StepRun) -> list[str]:
    """What the table says of a step after its name."""
    status = _words(record.status)
    if record.attempt > 1:
        status += f" (attempt {record.attempt})"
    if record.status is Status.PENDING:
        return [status, *[""] * 5]
    if record.status is Status.RUNNING:
        return [status, duration(record.wall), *[""] * 4]
    memory = size(record.peak_memory) if record.peak_memory else ""
    return [
        status, duration(record.wall), duration(record.cpu), memory, size(record.read),
        size(record.written),
    ]  # fmt: skip


def _sources(views: list[StepView]) -> None:
    """Where cached steps were computed, a line for each run."""
    sources: dict[str, list[str]] = {}
    for view in views:
        if view.record.source:
            sources.setdefault(view.record.source[0], []).append(view.id)
    if sources:
        say("\n" + "\n".join(f"cached from {run}: {', '.join(sources[run])}" for run in sources))


def _metadata(view: StepView) -> None:
    """What the step said of itself."""
    if view.record.metadata:
        say(f"\nStep {view.id} says:")
        facts({f"  {name}": _said(value) for name, value in view.record.metadata.items()})


def _said(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _failure(found: Run[Any], view: StepView) -> None:
    assert view.record.failure
    say(f"\nStep {view.id} {_words(view.status)}. It was given:")
    given = found.inputs(view.id) or {"nothing": ""}
    facts({f"  {name}": value for name, value in given.items()})
    say(view.record.failure.traceback.rstrip("\n"))


def _next(found: Run[Any], status: Status, views: list[StepView]) -> None:
    """What to type now."""
    if status is Status.LOST:
        remark(f"\n{live.lost(found)}")
    for view in views:
        if view.record.failure:
            remark(f"\nType: penstock run logs {found.id} {view.id}")
            return


def _status(data: dict[str, Any]) -> str:
    """What the list says of it."""
    return _words(data["status"]) + (", pinned" if data["pinned"] else "")


def _words(status: str) -> str:
    return status.replace("_", " ")
