"""`penstock key`: keys that sign what is in a store."""

from __future__ import annotations

from secrets import token_hex

import click

from penstock.api.ending import remark, say
from penstock.cli.group import Group


@click.group(cls=Group)
def key() -> None:
    """Keys that sign what is in an artifact store."""


@key.command()
def new() -> None:
    """Print a new key, which is kept nowhere.

    Whoever has the same key loads each other's pickles. Keep it as a secret, and give it to the
    artifact store as signing_key: ${env:NAME}, wherever it is used.
    """
    say(token_hex(32))
    remark("Keep it as a secret; in penstock.yaml, write: signing_key: ${env:NAME}")
