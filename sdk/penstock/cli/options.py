"""Options that many commands have."""

from __future__ import annotations

from typing import Final

import click

BY_STACK: Final = "--stack"
"""Who chose the stack, in messages."""

stack_option = click.option(BY_STACK, help="A stack other than the active one.")

run_argument = click.argument("run_id", metavar="RUN")
