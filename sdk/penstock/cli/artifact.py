"""`penstock artifact`: what steps left in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from penstock.cli.output import facts, json_option, print_json, size, table
from penstock.cli.run import stack_option
from penstock.client import Client
from penstock.errors import NotFound, PenstockError, listed
from penstock.runtime.run import StoredArtifact

PREVIEW = 2000
"""Characters of text that `show` prints."""


@click.group()
def artifact() -> None:
    """What steps left in the store."""


@artifact.command("list")
@click.option("--pipeline", help="Only of runs of this pipeline.")
@click.option("--run", "run_id", help="Only of this run.")
@click.option("--step", help="Only of this step.")
@click.option("--limit", default=100, show_default=True, help="How many, of the newest runs first.")
@stack_option
@json_option
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
    client = Client(stack)
    found = client.artifacts(pipeline=pipeline, run=run_id, step=step, limit=limit)
    if as_json:
        print_json([_data(item) for item in found])
    elif not found:
        click.echo("No artifacts yet.", err=True)
    else:
        table(
            ["ARTIFACT", "FORMAT", "SIZE", "DIGEST"],
            [
                [f"{item.run}/{item.step}/{item.name}", item.artifact.format,
                 size(item.artifact.size), item.artifact.digest]
                for item in found
            ],
        )  # fmt: skip


@artifact.command()
@click.argument("name", metavar="RUN/STEP[/OUTPUT]")
@stack_option
@json_option
def show(*, name: str, stack: str | None, as_json: bool) -> None:
    """One artifact: what it is, and its text if it has one. Nothing is unpickled."""
    found = _find(name, stack)
    if as_json:
        print_json(_data(found))
        return
    facts({**_data(found), "size": size(found.artifact.size)})
    preview = found.preview(PREVIEW)
    if preview is not None:
        click.echo(f"\n{preview}")


@artifact.command()
@click.argument("name", metavar="RUN/STEP[/OUTPUT]")
@click.argument("path", type=click.Path(path_type=Path))
@stack_option
@json_option
def export(*, name: str, path: Path, stack: str | None, as_json: bool) -> None:
    """Write an artifact to a file, or into a folder if it is files, as it lies in the store."""
    try:
        written = _find(name, stack).export(path)
    except FileExistsError:
        raise PenstockError(f"{path} exists.", hint="Choose another name.") from None
    if as_json:
        print_json({"path": str(written.absolute())})
    else:
        click.echo(written)


def _find(name: str, stack: str | None) -> StoredArtifact:
    run_id, _, rest = name.partition("/")
    step, _, output = rest.partition("/")
    run = Client(stack).run(run_id)
    if not step:
        outputs = [f"{run_id}/{view.id}/{name}" for view in run for name in view.outputs]
        raise NotFound(f"{name!r} names no step. Artifacts: {listed(outputs)}.")
    view: Any = run[step]
    if isinstance(view, list):
        raise NotFound(
            f"{step!r} is several steps: {listed(item.id for item in view)}.",
            hint=f"For example {run_id}/{view[0].id}.",
        )
    if not output:
        found: StoredArtifact = view.output
        return found
    if output not in view.outputs:
        raise NotFound(f"Step {step} has no output {output!r}, but {listed(view.outputs)}.")
    return view.outputs[output]  # type: ignore[no-any-return]


def _data(item: StoredArtifact) -> dict[str, Any]:
    return {
        "run": item.run,
        "step": item.step,
        "output": item.name,
        "format": item.artifact.format,
        "size": item.artifact.size,
        "digest": item.artifact.digest,
        "store": item.store,
    }
