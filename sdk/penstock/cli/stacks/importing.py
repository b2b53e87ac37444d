"""`penstock stack import`: what somebody has exported. Nothing is written before one has seen what
it would ask this machine for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from penstock.api.ending import remark, say
from penstock.cli import asking
from penstock.cli.changed import told
from penstock.cli.options import user_option
from penstock.cli.output import json_option
from penstock.errors import NotFound
from penstock.stack.changing import sharing
from penstock.stack.changing.changes import Changes
from penstock.stack.changing.sharing import Shared
from penstock.stack.complaints import Complaints
from penstock.stack.component import spoken
from penstock.stack.parsing import content, decoded
from penstock.stack.project import Project
from penstock.stack.registry import Registry

STDIN: Final = "-"


@click.command("import")
@click.argument("file")
@click.option("--yes", is_flag=True, help="Do not ask.")
@user_option
@json_option("file", "references", "flavors", "changes")
def import_(*, file: str, yes: bool, user: bool, as_json: bool) -> None:
    """Register what somebody has exported.

    FILE is what `penstock stack export` has written; '-' is stdin. Before anything is written, all
    variables and files of this machine that it would read are shown, and all classes that it would
    import; if there are any, you are asked. What is here already stays as it is; if something
    different is here under one of its names, nothing is written.
    """
    changes = Changes(Registry(Project.find()), user=user)
    where = "stdin" if file == STDIN else file
    text = _read(file)
    shared = Shared.read(text, where)
    if shared.references or shared.flavors:
        _show(shared, where)
        if not yes:
            _ask(where)
    done = sharing.import_(changes, text, where)
    told(done, {"file": where, **_data(shared)}, as_json=as_json)
    if not done and not as_json:
        say(f"All that {where} has is here already.")


def _read(file: str) -> str:
    complaints = Complaints("stdin" if file == STDIN else file)
    if file == STDIN:
        text = decoded(sys.stdin.buffer.read() if sys.stdin else b"", complaints)
    else:
        text = _content(Path(file), complaints)
    complaints.tell()
    return text


def _content(path: Path, complaints: Complaints) -> str:
    try:
        status = path.stat()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.") from error
    return content(path, status, complaints)


def _data(shared: Shared) -> dict[str, Any]:
    return {
        "references": [{"written_in": at, "reference": each} for at, each in shared.references],
        "flavors": [
            {"category": category, "flavor": name, "target": target}
            for category, name, target in shared.flavors
        ],
    }


def _show(shared: Shared, where: str) -> None:
    if shared.references:
        remark(f"{where} asks this machine for:")
        for at, reference in shared.references:
            remark(f"  {reference}  ({at})")
    if shared.flavors:
        remark(f"{where} names classes, whose modules are imported:")
        for category, name, target in shared.flavors:
            remark(f"  {target}  ({spoken(category)} flavor {name})")


def _ask(where: str) -> None:
    """One question; without a terminal, nothing is taken for granted."""
    if not asking.possible():
        raise click.UsageError(f"Nothing was written. To import {where} with all that, add --yes.")
    try:
        if click.confirm("Import that?", err=True):
            return
    except click.Abort:  # Ctrl-C and Ctrl-D are answers as well
        remark("")
    remark("Nothing was written.")
    raise click.Abort
