"""`penstock pipeline`: pipelines of a file, with a main block or without one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from penstock.api import asked, commands
from penstock.api.asked import Asked
from penstock.api.ending import remark, say
from penstock.api.flags import OURS
from penstock.api.pipeline import Pipeline
from penstock.cli import compiling
from penstock.cli.group import Group
from penstock.cli.of_pipeline import OfPipeline
from penstock.cli.output import print_json, table
from penstock.model.graph import Call, Graph
from penstock.model.retry import Retry
from penstock.stack.complaints import shown

_dump: Final = json.JSONEncoder().encode

PICTURES: Final = {"mermaid": "prints Mermaid", "svg": "prints a picture"}
"""Names that flags of `show` have besides those of a run."""

_USUAL: Final = {"retries": {**Retry().to_data(), "times": None}}
"""What goes without saying, in a table."""


def _showing(pipeline: Pipeline[..., Any]) -> click.Command:
    """The command for the flags of a pipeline that is to be shown."""
    keys = "pipeline, function, steps"
    options = [
        click.Option(["--mermaid"], is_flag=True, help="Print Mermaid, which Markdown shows."),
        click.Option(["--svg"], is_flag=True, help="Print a picture, for a file: > graph.svg"),
        click.Option(["--json"], is_flag=True, help=f"Print JSON: one object with {keys}."),
    ]
    return asked.command(pipeline, options, OURS | PICTURES)


@click.group(cls=Group)
def pipeline() -> None:
    """Pipelines of a file, with a main block or without one."""


pipeline.add_command(compiling.compile)


@pipeline.group(cls=OfPipeline, make=commands.command)
def run() -> None:
    """Run a pipeline on the active stack.

    FILE alone will do if it has one pipeline; package.module:NAME names one in a module. Its own
    flags come after it: type --help there.
    """


@run.result_callback()
def carry_out(said: Asked) -> None:
    commands.carry_out(said)


@pipeline.group(cls=OfPipeline, make=_showing)
def show() -> None:
    """Show the steps of a pipeline. Nothing is run.

    FILE alone will do if it has one pipeline; package.module:NAME names one in a module. Its own
    flags come after it: type --help there.
    """


@show.result_callback()
def draw(said: Asked) -> None:
    graph = commands.drawn(said)
    wanted = [name for name, given in said.ours.items() if given]
    if len(wanted) > 1:
        raise click.UsageError("Choose one of --mermaid, --svg and --json.")
    if "mermaid" in wanted:
        say(graph.to_mermaid().rstrip("\n"))
    elif "svg" in wanted:
        say(graph.to_svg())
    elif wanted:
        steps = [_data(call, graph) for call in graph.calls.values()]
        function = said.pipeline.reference
        print_json({"pipeline": graph.name, "function": function, "steps": steps})
    elif not graph.calls:
        remark(f"Pipeline {graph.name!r} has no steps.")
    else:
        table(["STEP", "AFTER", "FUNCTION", "WHERE", "OPTIONS"], list(_rows(graph)))


def _data(call: Call, graph: Graph) -> dict[str, Any]:
    return {
        "step": call.id,
        "after": [up for up in graph.calls if up in call.upstream],
        "function": call.step.reference,
        "where": call.line,
        "options": json.loads(call.step.options.to_text()),
    }


def _rows(graph: Graph) -> Iterator[list[str]]:
    for call in graph.calls.values():
        data = _data(call, graph)
        file, _, line = call.line.rpartition(":")
        options = ", ".join(f"{name}={text}" for name, text in _flat(data["options"], _USUAL))
        yield [
            call.id, ", ".join(data["after"]), data["function"], f"{shown(Path(file))}:{line}",
            options,
        ]  # fmt: skip


def _flat(
    options: Mapping[str, Any], usual: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, str]]:
    """Options on one line, but for the usual ones; what is nested has a name with dots."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flat(value, usual.get(name, {}), f"{above}{name}.")
        elif value != usual.get(name):
            yield f"{above}{name}", value if isinstance(value, str) else _dump(value)
