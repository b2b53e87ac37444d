"""Asking for what a command line leaves out, on a terminal. Elsewhere an error names the flags."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

import click

from penstock.lazy import lazy

if TYPE_CHECKING:
    from penstock.cli.questions import components, flags, stacks
    from penstock.errors import StackError
    from penstock.stack.changing.changes import Changes
    from penstock.stack.component import ComponentSpec
    from penstock.stack.configuration import StackSpec
    from penstock.stack.registry import Registry
else:  # only for those who are asked
    components = lazy("penstock.cli.questions.components")
    flags = lazy("penstock.cli.questions.flags")
    stacks = lazy("penstock.cli.questions.stacks")


def possible() -> bool:
    """Whether somebody can read a question and answer it; results may go anywhere."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def ask_component(
    changes: Changes,
    category: str,
    name: str | None,
    flavor: str | None,
    given: Mapping[str, Any],
    *,
    every: bool = True,
) -> ComponentSpec:
    """A component that can be registered, of what was `given` and what somebody answers.

    All other options are asked for, or only what is needed and missing if not `every`. Raises
    `click.Abort` if it is broken off; nothing is written then.
    """
    if not possible():
        raise missing(changes, category, name, flavor, given)
    return components.asked(changes, category, name, flavor, given, every=every)


def ask_stack(
    changes: Changes,
    name: str | None,
    given: Mapping[str, Any],
    *,
    every: bool = True,
    also: str = "",
) -> StackSpec:
    """A stack that can be registered; `given` is by key of a `StackSpec` or by category, and `also`
    is what else was typed, for the line that asks nothing."""
    if not possible():
        raise missing_stack(name, given)
    return stacks.asked(changes, name, given, every=every, also=also)


def missing(
    changes: Changes,
    category: str,
    name: str | None,
    flavor: str | None,
    given: Mapping[str, Any],
) -> click.UsageError:
    """What has to be typed to register a component where nobody can be asked, and what is wrong
    besides."""
    return flags.of_component(changes, category, name, flavor, given)


def with_flags(registry: Registry, spec: ComponentSpec, error: StackError) -> StackError:
    """What is wrong with a component, with the flag of each option that it needs."""
    return flags.added(registry, spec, error)


def missing_stack(name: str | None, given: Mapping[str, Any]) -> click.UsageError:
    """What has to be typed to register a stack where nobody can be asked."""
    return flags.of_stack(name, given)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it was closed
        return False
