"""Commands that take options which click does not know: those of a flavor.

Which of them a flavor has is known only when it is loaded, so click is told to let them through.
After `--`, an option is the flavor's also if the command has one of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from penstock.cli.known import Completion
from penstock.cli.parameters import types_of
from penstock.errors import PenstockError
from penstock.stack.project import Project
from penstock.stack.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])


class Open(click.Command):
    """A command that takes options of a flavor beside its own, and a NAME, as `words`."""

    ignore_unknown_options = True

    def __init__(
        self,
        *args: Any,
        category: str,
        flavor: Callable[[Registry, Mapping[str, Any]], str | None],
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.category = category
        self.flavor = flavor
        """Of which flavor they are, from what was typed so far."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Also the options of the flavor, where it is known already."""
        found = super().shell_complete(ctx, incomplete)
        with suppress(PenstockError, click.UsageError):  # in the middle of a line nobody is told
            registry = Registry(Project.find())
            flavor = self.flavor(registry, ctx.params)
            types = types_of(self.category, flavor, registry.flavors) if flavor else None
            texts = (f"--{option}" for option in types or ())
            found += [CompletionItem(text) for text in texts if text.startswith(incomplete)]
        return found


def words_argument(complete: Completion | None = None) -> Callable[[F], F]:
    """Adds what an `Open` command takes."""
    return click.argument(
        "words",
        nargs=-1,
        type=click.UNPROCESSED,
        metavar="NAME [--OPTION=VALUE]...",
        shell_complete=complete,
    )
