"""`penstock stack list`: all stacks, and which one is active."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from penstock.api.ending import remark
from penstock.cli.output import json_option, print_json, table
from penstock.cli.stacks.shape import KEYS, of_stack
from penstock.errors import UnknownStack
from penstock.stack.categories import KNOWN
from penstock.stack.component import several, spoken
from penstock.stack.configuration import ONE, StackSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registry

_ALWAYS: Final = (*ONE.values(), "step-operator")
"""Categories with a column, though no stack may have any."""


@click.command("list")
@json_option(*KEYS, "active", many=True)
def list_(*, as_json: bool) -> None:
    """All stacks; '*' marks the active one."""
    registry = Registry(Project.find())
    try:
        active, remarks = _active(registry)
    except UnknownStack as error:  # the list is what helps now
        active, remarks = "", f"Warning: {error}"
    stacks = list(registry.stacks().values())
    if as_json:
        print_json([{**of_stack(spec), "active": spec.name == active} for spec in stacks])
        return
    _print(stacks, active)
    remark(remarks)


def _print(stacks: Sequence[StackSpec], active: str) -> None:
    """With a column for each category that a stack has something of."""
    columns = _columns(stacks)
    headings = [spoken(each) if each in ONE.values() else several(each) for each in columns]
    table(
        ["", "STACK", *map(str.upper, headings), "WRITTEN IN"],
        [
            [
                "*" if spec.name == active else "",
                spec.name,
                *(", ".join(_names(spec, category)) for category in columns),
                spec.where,
            ]
            for spec in stacks
        ],
    )


def _columns(stacks: Sequence[StackSpec]) -> list[str]:
    used = {category for spec in stacks for category, _ in spec.names()}
    return [each for each in (*KNOWN, *sorted(used - KNOWN.keys())) if each in {*_ALWAYS, *used}]


def _names(spec: StackSpec, category: str) -> list[str]:
    return [name for each, name in spec.names() if each == category]


def _active(registry: Registry) -> tuple[str, str]:
    """The active stack's name, and a line that says who chose it."""
    choice = registry.active()
    return choice.name, f"Active: {choice.name} ({choice.origin})"
