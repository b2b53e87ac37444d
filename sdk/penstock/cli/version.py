"""`penstock version`."""

from __future__ import annotations

import click

from penstock.api.ending import say
from penstock.cli.output import json_option, print_json
from penstock.runtime import provenance


@click.command()
@json_option("penstock", "python")
def version(*, as_json: bool) -> None:
    """Which penstock this is, and which Python."""
    versions = provenance.versions()
    if as_json:
        print_json(versions)
    else:
        say(f"penstock {versions['penstock']} (Python {versions['python']})")
