"""`penstock`: the group of all commands."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Final

import click

from penstock._version import __version__
from penstock.api.ending import ended, remark
from penstock.cli.group import Group

COMMANDS: Final = {
    "artifact": ("penstock.cli.artifact:artifact", "What steps left in the store."),
    "artifact-store": (
        "penstock.cli.artifact_store:artifact_store",
        "The places where artifacts live.",
    ),
    "flavor": ("penstock.cli.flavor:flavor", "The implementations that there are."),
    "gc": ("penstock.cli.gc:gc", "Delete what nobody needs any more, or say what that is."),
    "pipeline": ("penstock.cli.pipeline:pipeline", "Pipelines of a file: run one, or show it."),
    "run": ("penstock.cli.run:run", "What has run, and how."),
    "stack": ("penstock.cli.stack:stack", "Where pipelines run and where artifacts live."),
    "version": ("penstock.cli.version:version", "Which penstock this is."),
}
"""Name → where the command is, and its help: so that `--help` loads none of them."""


class Nouns(Group):
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


@click.version_option(__version__, message="penstock %(version)s")
@click.group(
    cls=Nouns,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Results go to stdout, the rest to stderr. Exit codes: 0 ok, 1 a step failed, 2 usage, "
    "3 configuration, 4 not found, 5 store or remote, 130 interrupted.",
)
def penstock() -> None:
    """Pipelines in plain Python; the active stack decides where they run."""


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line, by default this process's. Returns the exit code."""
    with _warnings():
        return ended(lambda: penstock.main(args, prog_name="penstock", standalone_mode=False))


class _Warnings(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        remark(f"{record.levelname.capitalize()}: {record.getMessage()}")


@contextmanager
def _warnings() -> Iterator[None]:
    """For so long, what penstock warns of goes to stderr."""
    log, handler = logging.getLogger("penstock"), _Warnings(logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
