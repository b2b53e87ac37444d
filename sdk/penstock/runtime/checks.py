"""Checks before anything runs: what this stack cannot do for this graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from penstock.errors import CannotRun, listed
from penstock.lazy import lazy
from penstock.model.binding import written_texts
from penstock.model.graph import Call, Graph
from penstock.model.options import PipelineOptions
from penstock.model.plan import Plan
from penstock.runtime.masking import Mask
from penstock.runtime.secrets import Secrets
from penstock.stack.component import spoken
from penstock.stack.flavor import Own
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import travelling
    from penstock.stack import other_machines
else:
    travelling = lazy("penstock.runtime.travelling")  # only for steps that run elsewhere
    other_machines = lazy("penstock.stack.other_machines")  # only for who runs steps there


def check(
    graph: Graph,
    reference: str,
    stack: Stack,
    options: PipelineOptions,
    secrets: Secrets,
    own: Own | None = None,
) -> list[str]:
    """What the stack will leave undone, though it can run the graph. `own` are flavors that only
    this project has.

    Raises `CannotRun` with everything that it cannot do. An option is never ignored in silence,
    but for one stated rule: settings for flavors that are not in the stack are for other stacks.
    """
    calls = list(graph.calls.values())
    problems = list(stack.orchestrator.problems(calls))
    if stack.orchestrator.elsewhere:
        problems += other_machines.problems(stack, own)
        problems += travelling.problems(graph, reference, options, stack)
    store = stack.artifact_store
    problems += [f"artifact store {store.name!r}: {text}" for text in store.problems()]
    for operator in stack.step_operators:
        mine = [
            call
            for call in graph.calls.values()
            if call.step.options.step_operator == operator.name
        ]
        problems += operator.problems(mine) if mine else ()
    notes: list[str] = []
    steps = {id(call.step): call for call in reversed(list(graph.calls.values()))}
    for call in reversed(list(steps.values())):
        problems += _problems(call, stack)
    settings = options.settings or {}
    said = settings or any(call.step.options.settings for call in calls)
    if said or stack.orchestrator.elsewhere:
        problems += stack.orchestrator.settings_problems(graph.name, settings, calls)
    problems += secrets.problems()
    if problems:
        raise CannotRun(
            f"Pipeline {graph.name!r} cannot run on the stack {stack.name!r} ({stack.origin}):\n"
            + "\n".join(f"  {problem}" for problem in problems),
        )
    if stack.orchestrator.elsewhere:
        needed = partial(other_machines.variables, stack)
        notes += stack.orchestrator.notes(settings, calls, needed)
    asking = [call.id for call in steps.values() if call.step.options.resources]
    if asking and not stack.orchestrator.reserves_resources:
        notes.append(
            f"the orchestrator {stack.orchestrator.name!r} reserves no resources: what step "
            f"{asking[-1]} asks for is written down and no more"
        )
    return notes


def refuse_secrets(plan: Plan, stack: Stack, secrets: Secrets) -> None:
    """Raise `CannotRun` if a secret is in a plan: it would show it to everybody who can read the
    store, and the text of a compiled pipeline to others."""
    hidden = secrets.known if stack.orchestrator.elsewhere else secrets.values
    if not hidden:
        return
    mask = Mask(hidden.values())
    for kind, what, texts in _shown(plan, stack):
        for text in texts:
            if mask.text(text) == text:
                continue
            name = next(name for name, value in hidden.items() if Mask([value]).text(text) != text)
            raise CannotRun(
                f"{what} holds the secret {name!r}, and {kind} are written down.",
                hint=f"In the step, write os.environ[{name!r}] instead."
                if name.isidentifier()
                else "Take it out there.",
            )


def _shown(plan: Plan, stack: Stack) -> Iterator[tuple[str, str, Iterable[str]]]:
    """All that a plan shows: of which kind, what it is, and its texts."""
    steps: dict[int, Call] = {}
    for call in plan.graph.calls.values():
        steps.setdefault(id(call.step), call)
        for name, binding in call.bindings.items():
            who = f"Parameter {name!r} of step {call.id} ({call.where})"
            yield "parameters", who, written_texts(binding)
    settings = [(f"pipeline {plan.graph.name}", plan.settings)]
    for call in steps.values():
        settings.append((f"step {call.id} ({call.where})", call.step.options.settings or {}))
    for who, by_flavor in settings:
        for flavor, values in by_flavor.items():
            for name, value in values.items():
                yield "settings", f"Setting {name!r} for {flavor!r} of {who}", _texts(value)
    for component in stack.components:
        who = f"the {spoken(component.category)} {component.name!r}"
        for name, value in stack.spec(component).options.items():
            yield "options", f"Option {name!r} of {who}", _texts(value)


def _texts(value: object) -> Iterator[str]:
    """All texts in plain data, but the names of things: who has a short secret may name one so."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str | int | float):
        yield str(value)


def _problems(call: Call, stack: Stack) -> Iterator[str]:
    options = call.step.options
    who = f"step {call.id} ({call.where})"
    operators = [operator.name for operator in stack.step_operators]
    if options.step_operator is not None and options.step_operator not in operators:
        yield (
            f"{who} asks for the step operator {options.step_operator!r}; the stack has "
            f"{listed(operators)}"
        )
