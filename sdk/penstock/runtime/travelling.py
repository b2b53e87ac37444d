"""Travelling: what of a pipeline cannot get to other machines, where its steps are to run.

A process there finds what the store has, and what stands at the top level of the user's modules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from penstock.artifacts.formats import registry
from penstock.errors import CannotRun, NotFound
from penstock.model.binding import Binding, Group, Held, Use
from penstock.model.graph import Call, Graph
from penstock.model.options import HOOKS, Options, PipelineOptions
from penstock.model.plan import Plan
from penstock.model.records import StepRun
from penstock.runtime import loading
from penstock.stack.stack import Stack

ENDS: Final = ("on_success", "on_failure")
"""Hooks of a pipeline that are told by whoever ends the run."""


def problems(graph: Graph, reference: str, options: PipelineOptions, stack: Stack) -> Iterator[str]:
    """What cannot be found or done there, a sentence each."""
    steps: dict[int, Call] = {}
    for call in graph.calls.values():
        steps.setdefault(id(call.step), call)
    for call in steps.values():
        yield from _of_step(call, stack)
    yield from _of_pipeline(graph.name, reference, options)


def check_pickles(plan: Plan, stack: Stack, hits: Mapping[str, StepRun]) -> None:
    """Raise `CannotRun` if steps that are to run surely need pickles which nobody vouches for
    there: without a key of the store's own, each machine has another one."""
    store = stack.artifact_store
    if store.signing_key is not None or store.allow_pickle != "signed":
        return
    found = [
        f"step {call.id} ({call.where}) needs {name!r}, {what}"
        for call in plan.graph.calls.values()
        if call.id not in hits
        for name, binding in call.bindings.items()
        for what in _pickles(binding, plan.graph, hits)
    ]
    if found:
        raise CannotRun(
            f"Pipeline {plan.graph.name!r} cannot run on the stack {stack.name!r} "
            f"({stack.origin}): a pickle is loaded only if it is signed with a known key, and the "
            f"artifact store {store.name!r} has no signing_key, so that every pod would have "
            "another one:\n" + "\n".join(f"  {each}" for each in found),
            hint="Type penstock key new, keep what it prints as a secret, and give the store "
            "signing_key: ${env:NAME}, here and where the steps run.",
        )


def _of_step(call: Call, stack: Stack) -> Iterator[str]:
    who, options = f"step {call.id} ({call.where})", call.step.options
    if (operator := options.step_operator) is not None:
        yield (
            f"{who} asks for the step operator {operator!r}: the orchestrator "
            f"{stack.orchestrator.name!r} runs each step on a machine of its own choice, and hands "
            f"none on. Say there what the step needs: settings={{{stack.orchestrator.flavor!r}: …}}"
        )
    try:
        declared = loading.find_step(call.step.reference).options
    except NotFound as error:
        yield f"{who} cannot be found by another process: {error.message} {error.hint}"
        return
    yield from _hooks(who, "step", options, declared, HOOKS)


def _of_pipeline(name: str, reference: str, options: PipelineOptions) -> Iterator[str]:
    who = f"pipeline {name}"
    declared = getattr(loading.loaded(reference), "options", None)
    if isinstance(declared, PipelineOptions):
        yield from _hooks(who, "pipeline", options, declared, HOOKS)
    elif given := [hook for hook in ENDS if getattr(options, hook) is not None]:
        yield (
            f"{who} has the hook {given[0]}, and another process finds no pipeline at "
            f"{reference!r}: one with hooks must be at the top level of its module"
        )


def _hooks(
    who: str, what: str, options: Options, declared: Options, names: tuple[str, ...]
) -> Iterator[str]:
    """Code stays in the process that was given it, unless the module has it."""
    for name in names:
        hook = getattr(options, name)
        if hook is not None and hook != getattr(declared, name):
            spelt = getattr(hook, "__name__", repr(hook))
            yield (
                f"{who} was given the hook {name}={spelt} with with_options(), which no other "
                f"machine can find. Declare it where the {what} is: @{what}({name}={spelt})"
            )


def _pickles(binding: Binding, graph: Graph, hits: Mapping[str, StepRun]) -> Iterator[str]:
    """Which values of an input are pickles, in words."""
    if type(binding) is Group:
        for item in binding.items:
            yield from _pickles(item, graph, hits)
    elif type(binding) is Held and registry.runs_code(binding.artifact.format):
        yield "a value that was given as a pickle"
    elif type(binding) is Use:
        made = hits.get(binding.call)
        if made is not None:
            is_one = registry.runs_code(made.outputs[binding.output].format)
        else:
            is_one = registry.surely_runs_code(_hint(graph.calls[binding.call], binding.output))
        if is_one:
            yield f"which is the output {binding.output!r} of step {binding.call}, a pickle"


def _hint(call: Call, output: str) -> Any:
    """The annotation of an output; of a map over a list known at run time that of one item."""
    outputs = call.step.signature.outputs
    found = [each.hint for each in outputs if each.name == output]
    return found[0] if found else outputs[0].hint
