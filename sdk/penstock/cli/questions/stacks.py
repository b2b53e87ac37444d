"""A stack, asked for part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.cli.parameters import WHERE
from penstock.cli.questions.question import once_more
from penstock.cli.questions.session import session
from penstock.cli.questions.stack_form import StackForm
from penstock.cli.questions.trial import passed
from penstock.stack.changing import undoing
from penstock.stack.changing.changes import Changes
from penstock.stack.changing.stack_values import changed
from penstock.stack.component import ComponentSpec
from penstock.stack.configuration import StackSpec
from penstock.stack.registry import Registry


def asked(
    changes: Changes,
    name: str | None,
    given: Mapping[str, Any],
    *,
    every: bool,
    also: str,
) -> StackSpec:
    """See `penstock.cli.asking.ask_stack`."""
    with session(changes) as begun:
        registry = changes.registry  # as it is now
        begun.begin(f"the stack {name!r}" if name else "a stack")
        name = name or begun.name("stack")
        form = StackForm(begun, registry, changed(StackSpec(name, where=WHERE), given), given)
        form.check_given()
        form.fill(every=every)
        while every and not passed(begun, _parts(registry, form.spec), form.spec):
            once_more()
            form.fill(every=every)
    line = undoing.stack_registration(form.spec) + begun.flag + also
    begun.end(form.spec.secrets, line)
    return form.spec


def _parts(registry: Registry, spec: StackSpec) -> list[ComponentSpec]:
    return [registry.component(category, name) for category, name in spec.names()]
