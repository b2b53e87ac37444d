"""A noun and its verbs."""

from __future__ import annotations

import click

from penstock.errors import did_you_mean, listed


class Group(click.Group):
    """Commands under one name. Alone it shows its help; of a misspelt one it knows the right."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            rest = did_you_mean(args[0], known) or f"There are {listed(known)}."
            raise click.UsageError(f"There is no command {args[0]!r}. {rest}", ctx)
        return super().resolve_command(ctx, args)
