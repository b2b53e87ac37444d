"""`penstock`: the group of all commands."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from penstock._version import __version__
from penstock.api.ending import ended, remark
from penstock.cli import component
from penstock.cli.group import Later, Table
from penstock.errors import StackError
from penstock.lazy import lazy
from penstock.stack.categories import KNOWN, Category, categories

if TYPE_CHECKING:
    from penstock.cli import completing
    from penstock.cli.components import written
else:
    completing = lazy("penstock.cli.completing")  # only for a shell that asks
    written = lazy("penstock.cli.components.written")  # only for a word that is not known

COMPLETING: Final = "_PENSTOCK_COMPLETE"
"""The variable by which a shell asks for words: see `penstock completion`."""

COMMANDS: Final[Table] = {
    "artifact": ("penstock.cli.artifact:artifact", "What steps left in the store."),
    "completion": (
        "penstock.cli.completion:completion",
        "Print the script that makes a shell complete with TAB.",
    ),
    "doctor": ("penstock.cli.doctor:doctor", "Look at everything that a run depends on."),
    "flavor": ("penstock.cli.flavor:flavor", "The implementations that there are."),
    "gc": ("penstock.cli.gc:gc", "Delete what nobody needs any more, or say what that is."),
    "init": ("penstock.cli.init:init", "Begin a project: a penstock.yaml that says how to go on."),
    "key": ("penstock.cli.key:key", "Keys that sign what is in an artifact store."),
    "pipeline": (
        "penstock.cli.pipeline:pipeline",
        "Pipelines of a file: run one, show it, compile it.",
    ),
    "run": ("penstock.cli.run:run", "What has run, and how."),
    "schedule": (
        "penstock.cli.schedule:schedule",
        "Pipelines that an engine starts by the clock.",
    ),
    "stack": ("penstock.cli.stack:stack", "Where pipelines run and where artifacts live."),
    "version": ("penstock.cli.version:version", "Which penstock this is."),
}
"""All but those of categories."""


class Nouns(Later):
    """The commands above, and a group for each category, also of those that packages bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.table, *self._categories()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.table:
            return super().get_command(ctx, cmd_name)
        found = KNOWN.get(cmd_name) or categories().get(cmd_name) or written.category(cmd_name)
        return component.group(found) if found else None

    def about(self) -> dict[str, str]:
        return {name: each.about for name, each in self._categories().items()} | super().about()

    def _categories(self) -> Mapping[str, Category]:
        """Of a package that is broken nothing is said here, where help is looked for."""
        try:
            return categories()
        except StackError:
            return KNOWN


@click.version_option(__version__, message="penstock %(version)s")
@click.group(
    cls=Nouns,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Results go to stdout, the rest to stderr. Exit codes: 0 ok, 1 a step failed, 2 usage, "
    "3 configuration, 4 not found, 5 store or remote, 130 interrupted.",
)
def penstock() -> None:
    """Pipelines in plain Python; the active stack decides where they run."""


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line, by default this process's. Returns the exit code."""
    if asked := os.environ.get(COMPLETING):
        return ended(lambda: completing.tell(asked, penstock, COMPLETING))
    words = list(map(_typed, sys.argv[1:] if args is None else args))
    with _warnings():
        return ended(lambda: penstock.main(words, prog_name="penstock", standalone_mode=False))


def _typed(word: str) -> str:
    """What was typed, also where the locale hides from Python that it is UTF-8."""
    try:
        return os.fsencode(word).decode("utf-8")
    except UnicodeError:
        return word


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
