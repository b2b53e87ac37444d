"""Commands about one pipeline, whose flags are its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from penstock.api.pipeline import Pipeline
from penstock.cli import target


class OfPipeline(click.Group):
    """A command whose first word is a pipeline; the flags that follow are that pipeline's."""

    def __init__(self, *, make: Callable[[Pipeline[..., Any]], click.Command], **given: Any):
        super().__init__(**given, subcommand_metavar="FILE:NAME [FLAGS]...", options_metavar="")
        self.make = make

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def list_commands(self, ctx: click.Context) -> list[str]:
        return []  # nobody's files are looked into

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        found = target.find(args[0], ctx.command_path)
        return args[0], self.make(found), args[1:]
