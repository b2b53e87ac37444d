"""A noun and its verbs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from penstock.errors import did_you_mean, listed

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Table = Mapping[str, tuple[str, str]]
"""Name → where the command is, and its help: so that `--help` loads none of them."""


class Group(click.Group):
    """Commands under one name. Alone it shows its help; of a misspelt one it knows the right."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        unknown = not args[0].startswith("-") and self.get_command(ctx, args[0]) is None
        if unknown and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            rest = did_you_mean(args[0], known) or f"There are {listed(known)}."
            raise click.UsageError(f"There is no command {args[0]!r}. {rest}", ctx)
        return super().resolve_command(ctx, args)


class Later(Group):
    """A group whose commands are imported when they are used."""

    def __init__(self, *args: Any, table: Table, **more: Any) -> None:
        super().__init__(*args, **more)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        return self.loaded(self.table[cmd_name][0])

    def loaded(self, target: str) -> click.Command:
        """The command that is there."""
        command: click.Command = named(target)
        return command

    def about(self) -> dict[str, str]:
        """The help of each command, in a line."""
        return {name: help for name, (_, help) in self.table.items()}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self.about().items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Click's own would load each command, to see what it is about."""
        from click.shell_completion import CompletionItem  # only for a shell that asks

        found = [(name, help) for name, help in self.about().items() if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=help) for name, help in sorted(found)] + options


def named(target: str) -> Any:
    """What `module:name` is."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
