"""`penstock completion`: so that a shell completes words of penstock's with TAB."""

from __future__ import annotations

from typing import Final

import click

from penstock.api.ending import say
from penstock.cli import completing
from penstock.cli.main import COMPLETING, penstock
from penstock.cli.output import json_option, print_json

HELP: Final = """Print the script that makes a shell complete with TAB.

Commands, options, and the names of your stacks and components. Once, and for all new shells:

\b
  penstock completion bash >> ~/.bashrc
  penstock completion zsh >> ~/.zshrc
  penstock completion fish > ~/.config/fish/completions/penstock.fish

Bash has to be 4.4 or newer; in ~/.zshrc, `compinit` comes before it.
"""


@click.command(help=HELP)
@click.argument("shell", type=click.Choice(list(completing.SHELLS)))
@json_option("shell", "script")
def completion(*, shell: str, as_json: bool) -> None:
    script = completing.script(shell, penstock, COMPLETING)
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        say(script.rstrip("\n"))
