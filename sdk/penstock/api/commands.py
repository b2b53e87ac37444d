"""`training.cli()`: the command line of one pipeline."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Never

import click

from penstock.api import asked, debugger
from penstock.api.asked import Asked
from penstock.api.ending import ended, remark, say
from penstock.errors import PenstockError, RunError, RunFailed
from penstock.lazy import lazy
from penstock.model.options import PART
from penstock.runtime import loading
from penstock.runtime.tracebacks import trim

if TYPE_CHECKING:
    from penstock.api import pipeline as pipelines
    from penstock.api.pipeline import Pipeline
    from penstock.model.graph import Graph
    from penstock.runtime import compiling, dockerfile
    from penstock.runtime.compiling import Compilation
    from penstock.runtime.run import Run
    from penstock.runtime.scheduling import making as scheduling
    from penstock.runtime.scheduling.making import Created
    from penstock.stack.engine import Timing
else:
    compiling = lazy("penstock.runtime.compiling")  # only for who compiles
    dockerfile = lazy("penstock.runtime.dockerfile")
    scheduling = lazy("penstock.runtime.scheduling.making")
    pipelines = lazy("penstock.api.pipeline")

_dump: Final = json.JSONEncoder(indent=2).encode


def run(pipeline: Pipeline[..., Any], args: Sequence[str] | None) -> Never:
    """Parse, run, and end the process with an exit code."""
    loading.refuse_while_importing(f"{pipeline.name}.cli()")

    def work() -> None:
        said = command(pipeline).main(args, prog_name=_program(), standalone_mode=False)
        if isinstance(said, Asked):  # else the help was shown
            carry_out(said)

    sys.exit(ended(work))


def command(pipeline: Pipeline[..., Any]) -> click.Command:
    """The click command that runs it, which gives back what was `Asked`.

    Raises `BadStep` for a parameter named like one of our flags.
    """
    return asked.command(
        pipeline,
        [
            click.Option(["--stack"], help="Run on this stack instead of the active one."),
            click.Option(["--no-cache"], is_flag=True, help="Take nothing from the cache."),
            click.Option(
                ["--refresh"], is_flag=True, help="Compute again, and replace what the cache has."
            ),
            click.Option(["--resume"], metavar="RUN", help="Go on with a run: its id, or 'last'."),
            click.Option(["--from", "from_step"], metavar="STEP", help="Run it and what follows."),
            click.Option(["--to", "to_step"], metavar="STEP", help="Run it and what it needs."),
            click.Option(["--only"], metavar="STEP", help="Run it alone."),
            click.Option(["--pdb"], is_flag=True, help="Open the debugger where a step fails."),
            click.Option(
                ["--json", "as_json"],
                is_flag=True,
                help="Print JSON: one object with run, pipeline, status, steps.",
            ),
        ],
    )


def carry_out(said: Asked) -> None:
    """Run what was asked for. Raises what `ended` tells."""
    pipeline, ours = said.pipeline, said.ours
    if ours["pdb"]:
        debugger.check()
    pipeline = asked.with_stack(pipeline, ours["stack"])
    if not pipeline.options.wait:
        pipeline = pipeline.with_options(wait=True)  # there is nothing else to be done meanwhile
    if ours["no_cache"]:
        pipeline = pipeline.with_options(cache=False)
    if ours["refresh"]:
        pipeline = pipeline.with_options(refresh=True)
    part = {name: ours[name] for name in ("resume", *PART) if ours[name] is not None}
    if part:
        pipeline = pipeline.with_options(**part)
    try:
        args, named = pipeline.signature.completed((), {}, said.arguments)
        finished = pipeline.run(*args, **named)
    except RunFailed as error:
        if ours["as_json"]:
            _print_outcome(error.run)
        if ours["pdb"]:
            debugger.look(error.__cause__)
        raise
    except PenstockError:
        raise
    except Exception as error:  # what the pipeline's own lines raise, between the steps
        stopped = _stopped(pipeline, error)
        if ours["pdb"]:
            debugger.look(error)
        raise stopped from error
    if ours["as_json"]:
        _print_outcome(finished)


def drawn(said: Asked) -> Graph:
    """The graph of what was asked for; nothing runs. Raises what `ended` tells."""
    with _between_steps(said.pipeline):
        args, named = said.pipeline.signature.completed((), {}, said.arguments)
        return said.pipeline.graph(*args, **named)


def compiled(said: Asked) -> Compilation:
    """What was asked for, compiled; nothing runs. Raises what `ended` tells."""
    ours = said.ours
    pipeline = asked.with_stack(said.pipeline, ours["stack"])
    with _between_steps(pipeline):
        args, named = pipeline.signature.completed((), {}, said.arguments)
        into = os.path.abspath(ours["output"]) if ours["output"] else ""
        wanted = replace(pipelines.wanted(pipeline, args, named), into=into)
        return compiling.compiled(wanted, everything=ours["everything"], upload=ours["upload"])


def scheduled(said: Asked, name: str, timing: Timing, at_once: int) -> Created:
    """What was asked for, started by the clock from now on. Raises what `ended` tells."""
    pipeline = asked.with_stack(said.pipeline, said.ours["stack"])
    with _between_steps(pipeline):
        args, named = pipeline.signature.completed((), {}, said.arguments)
        return scheduling.create(pipelines.wanted(pipeline, args, named), name, timing, at_once)


def image_for(said: Asked) -> str:
    """A Dockerfile for what was asked for. Raises what `ended` tells."""
    pipeline = asked.with_stack(said.pipeline, said.ours["stack"])
    with _between_steps(pipeline):
        args, named = pipeline.signature.completed((), {}, said.arguments)
        return "".join(
            f"{line}\n" for line in dockerfile.lines(pipelines.wanted(pipeline, args, named))
        )


@contextmanager
def _between_steps(pipeline: Pipeline[..., Any]) -> Iterator[None]:
    """While the pipeline's own lines run: what they raise is told with their frames."""
    try:
        yield
    except PenstockError:
        raise
    except Exception as error:
        raise _stopped(pipeline, error) from error


def _stopped(pipeline: Pipeline[..., Any], error: Exception) -> RunError:
    """The error for one between the steps, whose frames are shown: the user's only."""
    trim(error, pipeline.function)
    remark("".join(traceback.format_exception(error)).rstrip("\n"))
    text = f"{type(error).__qualname__}: {error}"
    return RunError(f"Pipeline {pipeline.name!r} stopped with {text}")


def _print_outcome(finished: Run[Any]) -> None:
    steps = {view.id: view.status for view in finished}
    data = {"run": finished.id, "pipeline": finished.pipeline, "status": finished.status}
    say(_dump({**data, "steps": steps}))


def _program() -> str | None:
    """How this program was called, as it can be typed again; None leaves it to click."""
    name = sys.argv[0]
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return f"python {os.path.relpath(name)}" if spec is None and name.endswith(".py") else None
