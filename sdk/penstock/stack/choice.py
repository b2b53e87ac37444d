"""Which stack is active, and who chose it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from penstock.errors import UnknownStack, listed
from penstock.stack.configuration import DEFAULT, Configuration
from penstock.stack.project import Project

VARIABLE: Final = "PENSTOCK_STACK"
SET: Final = "penstock stack set, in .penstock/active"
ASKED: Final = "asked for"
"""By a name that was given, which needs no other words."""


@dataclass(frozen=True, slots=True)
class StackChoice:
    """A stack by name, which may not exist."""

    name: str
    origin: str
    """Who chose it, in words."""
    change: str = ""
    """What to do there to choose another one, with `{}` for its name."""


def choices(project: Project, files: Iterable[Configuration]) -> Iterator[StackChoice]:
    """Who has a say, the first one first."""
    if name := os.environ.get(VARIABLE, "").strip():
        yield StackChoice(name, VARIABLE, f"Type: export {VARIABLE}={{}}")
    if chosen := project.active:
        yield StackChoice(chosen, SET, "Type: penstock stack set {}")
    for file in files:
        if file.active:
            yield StackChoice(file.active, file.active_where, "Write there: active: {}")
    yield StackChoice(DEFAULT, "the default")


def unknown(choice: StackChoice, known: Iterable[str], project: Project) -> UnknownStack:
    """The error for a choice that does not exist."""
    from difflib import get_close_matches  # only when something is wrong

    known = list(known)
    by = "" if choice.origin == ASKED else f" ({choice.origin})"
    near = get_close_matches(choice.name, known, n=1)
    hints = [f"Did you mean {near[0]!r}?"] if near else []
    if choice.change:
        hints.append(choice.change.format(near[0] if near else DEFAULT))
    elif not near:
        hints.append("Type: penstock stack list")
    misspelt = project.root / "penstock.yml"
    if misspelt.exists() and not project.file.exists():
        hints.append(f"{misspelt} is not read: the file's name is penstock.yaml.")
    return UnknownStack(
        f"There is no stack {choice.name!r}{by}. Stacks: {listed(known)}.",
        hint=" ".join(hints),
    )
