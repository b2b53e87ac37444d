"""`penstock artifact`: what steps left in the store."""

from __future__ import annotations

import os
from typing import Any

import click

from penstock.api.ending import remark, say
from penstock.artifacts.formats import registry
from penstock.cli import shapes
from penstock.cli.group import Group
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import facts, json_option, print_json, table
from penstock.client import Client
from penstock.errors import NotFound, PenstockError, did_you_mean, listed
from penstock.quantities import size
from penstock.runtime.stored_artifact import StoredArtifact

NAME = click.argument("name", metavar="RUN/STEP[/OUTPUT]")


@click.group(cls=Group)
def artifact() -> None:
    """What steps left in the store."""


@artifact.command("list")
@click.option("--pipeline", help="Only of runs of this pipeline.")
@click.option("--run", "run_id", help="Only of this run.")
@click.option("--step", help="Only of this step.")
@click.option("--limit", type=click.IntRange(0), default=100, show_default=True,
              help="How many, of the newest runs first.")  # fmt: skip
@stack_option
@json_option(*shapes.ARTIFACT, many=True)
def list_artifacts(
    *,
    pipeline: str | None,
    run_id: str | None,
    step: str | None,
    limit: int,
    stack: str | None,
    as_json: bool,
) -> None:
    """The outputs of steps, of the newest runs first."""
    client = Client(stack, chosen_by=BY_STACK)
    found = client.artifacts(pipeline=pipeline, run=run_id, step=step, limit=limit)
    if as_json:
        print_json([shapes.of_artifact(item) for item in found])
    elif not found:
        asked = any(each is not None for each in (pipeline, run_id, step))
        remark("No such artifacts." if asked else "No artifacts yet.")
    else:
        table(
            ["ARTIFACT", "FORMAT", "SIZE"],
            [
                [f"{item.run}/{item.step}/{item.name}", item.artifact.format,
                 size(item.artifact.total)]
                for item in found
            ],
        )  # fmt: skip


@artifact.command()
@NAME
@stack_option
@json_option(*shapes.ARTIFACT, "preview")
def show(*, name: str, stack: str | None, as_json: bool) -> None:
    """One artifact: what it is, and what can be seen of it. Nothing is unpickled."""
    found = _find(name, stack)
    data = shapes.of_artifact(found)
    preview = found.preview()
    if as_json:
        print_json({**data, "preview": preview})
        return
    facts({**data, "size": size(found.artifact.total)})
    if preview is not None:
        say("\n" + preview.rstrip("\n"))


@artifact.command()
@NAME
@click.argument("path", default=".")
@stack_option
@json_option("path")
def export(*, name: str, path: str, stack: str | None, as_json: bool) -> None:
    """Write an artifact to PATH, as it lies in the store.

    A step's file or folder is that file or folder again; anything else is the bytes of its
    format. If PATH is a folder that exists, or ends in a slash, it is written in there.
    """
    found = _find(name, stack)
    try:
        if path.endswith(os.sep):
            os.makedirs(path, exist_ok=True)
        written = found.export(path)
    except PenstockError:
        raise
    except FileExistsError as error:
        raise PenstockError(
            f"{error.filename} exists, and is not overwritten.", hint="Choose another name."
        ) from None
    except OSError as error:
        raise PenstockError(f"{path} cannot be written: {error.strerror or error}.") from error
    if as_json:
        print_json({"path": os.path.abspath(written)})
        return
    say(str(written))
    format = found.artifact.format
    ending = registry.suffix(format)
    if not registry.is_composite(format) and written.suffix != ending:
        remark(f"The bytes are {format}: files like that usually end in {ending}")


def _find(name: str, stack: str | None) -> StoredArtifact:
    run_id, _, rest = name.partition("/")
    step, _, output = rest.partition("/")
    run = Client(stack, chosen_by=BY_STACK).run(run_id)
    if not step:
        outputs = (f"{run_id}/{view.id}/{output}" for view in run for output in view.outputs)
        raise NotFound(f"{name!r} names no step. Artifacts: {listed(outputs)}.")
    view: Any = run[step]
    if isinstance(view, list):
        raise NotFound(
            f"{step!r} is several steps: {listed(item.id for item in view)}.",
            hint=f"For example: {run_id}/{view[0].id}",
        )
    if not output:
        if len(view.outputs) > 1:
            several = (f"{run_id}/{step}/{each}" for each in view.outputs)
            raise NotFound(f"Step {step} has several outputs: {listed(several)}.")
        found: StoredArtifact = view.output
        return found
    if output not in view.outputs:
        raise NotFound(
            f"Step {step} of run {run.id} has no output {output!r}, but {listed(view.outputs)}.",
            hint=did_you_mean(output, view.outputs),
        )
    return view.outputs[output]  # type: ignore[no-any-return]
