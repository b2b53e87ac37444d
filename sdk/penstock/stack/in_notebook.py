"""How a notebook shows a stack: its components, with options as they were written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.model.component import StackComponent
from penstock.model.credentials import MASK
from penstock.pictures import markup, notebook
from penstock.pictures.markup import Markup, text
from penstock.stack.component import literals, spoken
from penstock.stack.masked import masked
from penstock.stack.stack import Stack


def of_stack(stack: Stack) -> str | None:
    """HTML. No reference is resolved, and no secret is in it."""
    return notebook.shown(lambda: _parts(stack))


def _parts(stack: Stack) -> Iterable[Markup]:
    yield markup.title(f"stack {stack.name}")
    yield markup.facts({"chosen by": text(stack.origin)})
    rows = (_row(stack, component) for component in stack.components)
    yield markup.table(["component", "name", "flavor", "options", "written in"], rows)
    if stack.steps:
        yield markup.section("Steps")
        yield markup.facts({step: text(_listed(options)) for step, options in stack.steps.items()})


def _row(stack: Stack, component: StackComponent) -> list[Markup]:
    spec = stack.spec(component)
    hidden = dict.fromkeys((option for option, _, _ in literals(component)), MASK)
    options = _listed({**masked(spec), **hidden})
    return [
        text(said) for said in (spoken(spec.category), spec.name, spec.flavor, options, spec.where)
    ]


def _listed(options: Mapping[str, Any]) -> str:
    return "\n".join(f"{option}: {value}" for option, value in options.items())
