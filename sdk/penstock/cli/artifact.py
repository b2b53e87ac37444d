"""`penstock artifact`: what steps left in the store."""

from __future__ import annotations

import os

import click

from penstock.api.ending import remark, say
from penstock.artifacts.formats import registry
from penstock.cli import shapes
from penstock.cli.group import Group
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import facts, json_option, print_json, table
from penstock.client import Client
from penstock.errors import PenstockError
from penstock.quantities import size
from penstock.runtime.stored_artifact import StoredArtifact
from penstock.runtime.tags import Tag

NAME = click.argument("name", metavar="NAME")
TAG = click.option("--tag", help="The one of PIPELINE/ARTIFACT that has this tag.")


@click.group(cls=Group)
def artifact() -> None:
    """What steps left in the store."""


@artifact.command("list")
@click.option("--pipeline", help="Only of runs of this pipeline.")
@click.option("--run", "run_id", help="Only of this run.")
@click.option("--step", help="Only of this step.")
@click.option("--tag", help="Only what has this tag.")
@click.option("--limit", type=click.IntRange(0), default=100, show_default=True,
              help="How many, of the newest runs first.")  # fmt: skip
@stack_option
@json_option(*shapes.ARTIFACT, many=True)
def list_artifacts(
    *,
    pipeline: str | None,
    run_id: str | None,
    step: str | None,
    tag: str | None,
    limit: int,
    stack: str | None,
    as_json: bool,
) -> None:
    """The outputs of steps, of the newest runs first."""
    client = Client(stack, chosen_by=BY_STACK)
    if tag is not None:
        tags = client.tagged(tag, pipeline=pipeline)
        run = client.run(run_id).id if run_id is not None else None
        tags = [item for item in tags if run in (None, item.run) and step in (None, item.step)]
        _list_tags(tags[:limit], as_json=as_json)
        return
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
@TAG
@stack_option
@json_option(*shapes.ARTIFACT, "preview")
def show(*, name: str, tag: str | None, stack: str | None, as_json: bool) -> None:
    """One artifact: what it is, and what can be seen of it. Nothing is unpickled.

    NAME is RUN/STEP[/OUTPUT], or PIPELINE/ARTIFACT, which is the newest one.
    """
    found = _find(name, tag, stack)
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
@TAG
@stack_option
@json_option("path")
def export(*, name: str, path: str, tag: str | None, stack: str | None, as_json: bool) -> None:
    """Write an artifact to PATH, as it lies in the store. NAME is as for `show`.

    A step's file or folder is that file or folder again; anything else is the bytes of its
    format. If PATH is a folder that exists, or ends in a slash, it is written in there.
    """
    found = _find(name, tag, stack)
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


@artifact.command()
@click.argument("name", metavar="NAME")
@click.argument("tag_name", metavar="TAG")
@click.option("--off", is_flag=True, help="Take the tag off PIPELINE/ARTIFACT.")
@stack_option
@json_option(*shapes.TAG)
def tag(*, name: str, tag_name: str, off: bool, stack: str | None, as_json: bool) -> None:
    """Set a tag on an artifact, or move it there. Cleaning keeps what is tagged.

    NAME is PIPELINE/ARTIFACT, which is the newest one, or RUN/STEP[/OUTPUT]. An artifact is called
    by its output's name, or its step's if that has none.
    """
    client = Client(stack, chosen_by=BY_STACK)
    made = client.untag(name, tag_name) if off else client.tag(name, tag_name)
    part = "" if off else client.run(made.run).record.part
    if as_json:
        print_json(shapes.of_tag(made))
    elif off:
        say(f"{made.pipeline}/{made.name} is no longer tagged {made.tag}")
        remark(f"To set it again: penstock artifact tag {made} {made.tag}")
    else:
        of = f", of a run of a part of the pipeline: {part}" if part else ""
        say(f"{made.pipeline}/{made.name} {made.tag} is {made}{of}")


def _list_tags(found: list[Tag], *, as_json: bool) -> None:
    if as_json:
        print_json([shapes.of_tag(item) for item in found])
    elif not found:
        remark("No such tags.")
    else:
        table(
            ["NAME", "TAG", "ARTIFACT", "FORMAT", "SIZE"],
            [
                [f"{item.pipeline}/{item.name}", item.tag, str(item), item.artifact.format,
                 size(item.artifact.total)]
                for item in found
            ],
        )  # fmt: skip


def _find(name: str, tag: str | None, stack: str | None) -> StoredArtifact:
    return Client(stack, chosen_by=BY_STACK).artifact(name, tag)
