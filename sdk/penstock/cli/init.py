"""`penstock init`: begin a project."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.api.ending import remark, say
from penstock.cli.output import json_option, print_json
from penstock.stack import beginning


@click.command()
@click.argument("folder", default=".")
@click.option("--example", is_flag=True, help="Also a pipeline to begin with, example.py.")
@json_option("folder", "made", "left")
def init(*, folder: str, example: bool, as_json: bool) -> None:
    """Begin a project in FOLDER, by default here.

    Makes penstock.yaml, whose comments say how to go on, and .penstock, which git does not see.
    What is there already is left as it is.
    """
    begun = beginning.begin(Path(folder), example=example)
    if as_json:
        print_json(begun.to_data())
        return
    for path in begun.made:
        say(f"made {Path(folder) / path}")
    for path in begun.left:
        say(f"left {Path(folder) / path} as it is")
    for text in begun.remarks:
        remark(text)
