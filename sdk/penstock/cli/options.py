"""Options that many commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from penstock.lazy import lazy

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from penstock.cli import known
else:
    known = lazy("penstock.cli.known")  # only for a shell that asks

BY_STACK: Final = "--stack"
"""Who chose the stack, in messages."""


def _stacks(context: click.Context, option: click.Parameter, typed: str) -> list[CompletionItem]:
    return known.stacks()(context, option, typed)


stack_option = click.option(
    BY_STACK,
    help="A stack other than the active one.",
    shell_complete=_stacks,
)

run_argument = click.argument("run_id", metavar="RUN")

user_option = click.option(
    "--user", is_flag=True, help="In your own file, not in the project's penstock.yaml."
)
