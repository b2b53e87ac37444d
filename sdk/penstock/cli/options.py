"""Options that many commands have."""

from __future__ import annotations

from typing import Final

import click

BY_STACK: Final = "--stack"
"""Who chose the stack, in messages."""

stack_option = click.option(BY_STACK, help="A stack other than the active one.")

run_argument = click.argument("run_id", metavar="RUN")

user_option = click.option(
    "--user", is_flag=True, help="In your own file, not in the project's penstock.yaml."
)
