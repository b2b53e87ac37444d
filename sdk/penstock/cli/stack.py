"""`penstock stack`: where pipelines run and where artifacts live."""

from __future__ import annotations

from typing import Final

import click

from penstock.cli.group import Later, Table

_HERE: Final = "penstock.cli.stacks"

VERBS: Final[Table] = {
    "check": (f"{_HERE}.trying:check", "Try out what a stack is made of."),
    "delete": (f"{_HERE}.deleting:delete", "Take a stack out of its file."),
    "describe": (f"{_HERE}.showing:describe", "A stack and the options of its components."),
    "down": (f"{_HERE}.provisioning:down", "Stop what runs for a stack, or remove its places."),
    "export": (f"{_HERE}.exporting:export", "One stack as YAML, to be given to somebody."),
    "get": (f"{_HERE}.getting:get", "The active stack, and who chose it."),
    "import": (f"{_HERE}.importing:import_", "Register what somebody has exported."),
    "list": (f"{_HERE}.listing:list_", "All stacks; '*' marks the active one."),
    "register": (f"{_HERE}.registering:register", "Write down a new stack."),
    "set": (f"{_HERE}.choosing:set_", "Make a stack the active one."),
    "up": (f"{_HERE}.provisioning:up", "Make the places that a stack needs."),
    "update": (f"{_HERE}.updating:update", "Give a stack other components, steps or secrets."),
}
"""Verb → where the command is, and its help."""


@click.group(cls=Later, table=VERBS)
def stack() -> None:
    """Where pipelines run and where artifacts live."""
