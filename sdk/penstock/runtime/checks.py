"""Checks before anything runs: what this stack cannot do for this graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from penstock.errors import CannotRun, did_you_mean, listed
from penstock.lazy import lazy
from penstock.model.binding import written_texts
from penstock.model.graph import Call, Graph
from penstock.model.options import PipelineOptions
from penstock.runtime.masking import Mask
from penstock.runtime.secrets import Secrets
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.stack import other_machines
else:
    other_machines = lazy("penstock.stack.other_machines")  # only for who runs steps there

Settings = Mapping[str, Mapping[str, Any]]


def check(graph: Graph, stack: Stack, options: PipelineOptions, secrets: Secrets) -> list[str]:
    """What the stack will leave undone, though it can run the graph.

    Raises `CannotRun` with everything that it cannot do. An option is never ignored in silence,
    but for one stated rule: settings for flavors that are not in the stack are for other stacks.
    """
    problems = list(_unknown_settings(f"pipeline {graph.name}", options.settings, stack))
    problems += stack.orchestrator.problems(list(graph.calls.values()))
    if stack.orchestrator.elsewhere:
        problems += other_machines.problems(stack)
    store = stack.artifact_store
    problems += [f"artifact store {store.name!r}: {text}" for text in store.problems()]
    for operator in stack.step_operators:
        mine = [
            call
            for call in graph.calls.values()
            if call.step.options.step_operator == operator.name
        ]
        problems += operator.problems(mine) if mine else ()
    notes = []
    steps = {id(call.step): call for call in reversed(list(graph.calls.values()))}
    for call in reversed(list(steps.values())):
        problems += _problems(call, stack)
    problems += secrets.problems()
    if problems:
        raise CannotRun(
            f"Pipeline {graph.name!r} cannot run on the stack {stack.name!r} ({stack.origin}):\n"
            + "\n".join(f"  {problem}" for problem in problems),
        )
    asking = [call.id for call in steps.values() if call.step.options.resources]
    if asking and not stack.orchestrator.reserves_resources:
        notes.append(
            f"the orchestrator {stack.orchestrator.name!r} reserves no resources: what step "
            f"{asking[-1]} asks for is written down and no more"
        )
    return notes


def refuse_secrets(graph: Graph, secrets: Secrets) -> None:
    """Raise `CannotRun` if a secret is among the parameters: a plan would show it to everybody."""
    for name, value in secrets.values.items():
        mask = Mask([value])
        for call in graph.calls.values():
            for parameter, binding in call.bindings.items():
                if any(mask.text(text) != text for text in written_texts(binding)):
                    raise CannotRun(
                        f"Parameter {parameter!r} of step {call.id} ({call.where}) holds the "
                        f"secret {name!r}, and parameters are written down.",
                        hint=f"In the step, write os.environ[{name!r}] instead.",
                    )


def _problems(call: Call, stack: Stack) -> Iterator[str]:
    options = call.step.options
    who = f"step {call.id} ({call.where})"
    operators = [operator.name for operator in stack.step_operators]
    if options.step_operator is not None and options.step_operator not in operators:
        yield (
            f"{who} asks for the step operator {options.step_operator!r}; the stack has "
            f"{listed(operators)}"
        )
    yield from _unknown_settings(who, options.settings, stack)


def _unknown_settings(who: str, settings: Settings | None, stack: Stack) -> Iterator[str]:
    mine = stack.orchestrator
    for name in (settings or {}).get(mine.flavor, {}):
        if name not in mine.settings:
            near = did_you_mean(name, mine.settings)
            yield (
                f"{who} has the setting {name!r} for the flavor {mine.flavor!r}, which knows "
                f"{listed(mine.settings)}{'. ' + near if near else ''}"
            )
