"""The command line: what commands cost that look at a project's stacks, or change them. Each is a
whole process; beside it, one that does nothing but import click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pairs import Cost, alternate
from process import python
from row import NONE, Goal, Row, timed

FILE: Final = """\
active: team
orchestrators:
  one-by-one: {flavor: local, max_workers: 1}
artifact_stores:
  shared: {flavor: local, path: ../artifacts}
stacks:
  team: {orchestrator: default, artifact_store: shared}
  careful: {orchestrator: one-by-one, artifact_store: shared}
"""

LOOKS: Final = Goal(most=350)
"""Milliseconds, for a command that only looks; also on a machine at half of its speed."""

COMMANDS: Final = {
    "--help": LOOKS,
    "stack list": LOOKS,
    "orchestrator flavor list": LOOKS,
    "stack set careful": NONE,
    "artifact-store register more{round} --flavor=local --path=../more": NONE,
}
"""What is typed; `{round}` makes it new each time."""


def rows(folder: Path, rounds: int) -> Iterator[Row]:
    project = folder / "project of the command line"
    project.mkdir()
    (project / "penstock.yaml").write_text(FILE)
    for command, goal in COMMANDS.items():
        yield _row(command, goal, project, rounds)


def _row(command: str, goal: Goal, project: Path, rounds: int) -> Row:
    def ours(number: int) -> Cost:
        typed = command.format(round=number).split()
        return python(project, "-m", "penstock", *typed).cost

    def bare(_: int) -> Cost:
        return python(project, "-c", "import click").cost

    sides: dict[str, Callable[[int], Cost]] = {"ours": ours, "bare": bare}
    ours(rounds)  # once for what is compiled the first time
    taken = alternate(sides, range(rounds))
    said = f"penstock {command.partition(' more')[0]}"
    return timed(said, taken["ours"], "import click", taken["bare"], goal)
