"""`penstock`: the group of all commands, and exit codes."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from penstock.errors import PenstockError

COMMANDS = {
    "artifact": ("penstock.cli.artifact:artifact", "What steps left in the store."),
    "run": ("penstock.cli.run:run", "What has run, and how."),
    "stack": ("penstock.cli.stack:stack", "Where pipelines run and where artifacts live."),
    "version": ("penstock.cli.version:version", "Which penstock this is."),
}
"""Name → where the command is, and its help: so that `--help` loads none of them."""


class Nouns(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
def penstock() -> None:
    """Pipelines in plain Python; the active stack decides where they run."""


def main() -> None:
    """Run the command line. Exit codes: 0 ok, 1 a step failed, 2 usage, 3 configuration,
    4 not found, 5 store or remote, 130 interrupted."""
    try:
        penstock(standalone_mode=False)
    except PenstockError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
