"""The words that a shell completes: asked for by its script, each time that TAB is pressed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
)

from penstock.api.ending import say
from penstock.errors import PenstockError


class Bash(BashComplete):
    """Bash takes `--option=va` for three words, and completes the last one."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        *args, incomplete = _joined([*args, incomplete])
        return args, incomplete


class Zsh(ZshComplete):
    """Zsh puts what it is told in the place of all of `--option=va`."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return _whole(super().get_completions(args, incomplete), incomplete)


class Fish(FishComplete):
    """Fish does as well, and so far passes over what begins in another way."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return _whole(super().get_completions(args, incomplete), incomplete)


SHELLS: Final[Mapping[str, type[ShellComplete]]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def script(shell: str, command: click.Command, variable: str) -> str:
    """What a shell reads once. From then on it asks by calling penstock with this variable set."""
    found = _asked(shell, command, variable)
    # Bash's own `source` would start a bash only to learn its version.
    return found.source_template % found.source_vars()


def tell(asked: str, command: click.Command, variable: str) -> None:
    """Print the words that would fit. In the middle of a line nobody can be told what is wrong."""
    shell = asked.partition("_")[0]
    if shell not in SHELLS:
        return
    with suppress(PenstockError, click.UsageError):
        say(_asked(shell, command, variable).complete())


def _asked(shell: str, command: click.Command, variable: str) -> ShellComplete:
    return SHELLS[shell](command, {}, "penstock", variable)


def _joined(words: list[str]) -> list[str]:
    """`--option`, `=`, `va` as the one word that was typed."""
    found: list[str] = []
    for word in words:
        begun = found[-1] if found else ""
        if word == "=" and begun.startswith("--"):
            found[-1] += "="
        elif begun.startswith("--") and begun.endswith("="):
            found[-1] += word
        else:
            found.append(word)
    return found


def _whole(items: list[CompletionItem], incomplete: str) -> list[CompletionItem]:
    """With the option in front again, if it was typed as one word with its value."""
    option, equals, _ = incomplete.partition("=")
    if not equals or not option.startswith("--"):
        return items
    return [_with(item, f"{option}=") for item in items]


def _with(item: CompletionItem, before: str) -> CompletionItem:
    value: Any = f"{before}{item.value}"
    return CompletionItem(value, type=item.type, help=item.help)
