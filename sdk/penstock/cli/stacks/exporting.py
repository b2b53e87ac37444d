"""`penstock stack export`: a stack as a text of its own."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.api.ending import say
from penstock.cli import known
from penstock.cli.output import json_option, print_json
from penstock.errors import StackError
from penstock.stack.changing import sharing
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.command()
@click.argument("name", shell_complete=known.stacks())
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path),
              help="Write it there, and not to stdout.")  # fmt: skip
@click.option("--force", is_flag=True, help="Also over a FILE that is there.")
@json_option("stack", "file", "text")
def export(*, name: str, output: Path | None, force: bool, as_json: bool) -> None:
    """One stack as YAML, to be given to somebody.

    It comes with its components and with the flavors of this project that it needs. References stay
    as they are written; a secret that is written out is refused. Whoever gets it types:
    penstock stack import FILE
    """
    text = sharing.export(Registry(Project.find()), name)
    if output is not None:
        _write(output, text, force=force)
    if as_json:
        print_json({"stack": name, "file": output and str(output), "text": text})
    elif output is None:
        say(text.removesuffix("\n"))
    else:
        say(f"stack {name}: exported ({output})")


def _write(file: Path, text: str, *, force: bool) -> None:
    try:
        with open(file, "w" if force else "x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise StackError(
            f"{file} is there already.", hint="Add --force to write over it."
        ) from error
    except OSError as error:
        raise StackError(f"{file} cannot be written: {error.strerror}.") from error
