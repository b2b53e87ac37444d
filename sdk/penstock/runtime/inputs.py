"""Inputs: the arguments of a call, as the store holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from penstock.artifacts.formats import registry
from penstock.artifacts.formats.failure import FAILURE
from penstock.artifacts.values import Trust, Values
from penstock.errors import InputFailed, StoreError
from penstock.model import binding as bindings
from penstock.model import plain
from penstock.model.binding import Binding, Held, Literally, Use
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Artifact, Failure, StepRun
from penstock.model.step import Step


class Inputs:
    """What the calls of one plan are given."""

    def __init__(self, plan: Plan, results: Mapping[str, StepRun], values: Values) -> None:
        self._plan = plan
        self._results = results
        self._values = values
        self._outside: dict[str, list[Artifact]] = {}

    def arguments(
        self, call: Call, folder: Callable[[], Path]
    ) -> tuple[list[Any], dict[str, Any], int]:
        """Positional and named arguments, and how many bytes they are."""
        read = 0
        outside: list[Artifact] = []
        parameters = call.step.signature.parameters

        def leaf(item: Binding, hint: Any = None) -> Any:
            nonlocal read
            if type(item) is Literally:
                return plain.decode(item.text)
            artifact, trust, hint = self._source(item, hint)
            read += artifact.total
            if registry.is_outside(artifact.format):
                outside.append(artifact)
            who = f"{self._origin(item)} (an input of step {call.id})"
            return self._values.load(artifact, hint, who, folder, trust)

        arguments = {}
        for name, item in call.bindings.items():
            hint = parameters[name].hint
            if type(item) is bindings.Group:
                arguments[name] = bindings.rebuilt(item, leaf, hint)
            else:
                arguments[name] = value = leaf(item, hint)
                if type(value) is Failure and type(item) is Use:
                    self._refuse(value, item, call)
        if outside:
            self._outside[call.id] = outside
        first, rest = call.step.signature.arguments(arguments)
        return first, rest, read

    def changed(self, call: Call) -> str:
        """What has become of an input outside of the store since the call was given it."""
        try:
            found = map(self._values.changed, self._outside.pop(call.id, ()))
            return next(filter(None, found), "")
        except StoreError as error:  # nobody can tell
            return error.message

    def _refuse(self, failure: Failure, item: Use, call: Call) -> None:
        """A list may hold failures; one value that is to be worked on may not be one."""
        if self._source(item, None)[0].format == FAILURE:
            raise InputFailed(
                f"Step {call.id} cannot run: step {item.call}, which it needs, has failed "
                f"({failure.kind}: {failure.message})."
            )

    def _source(self, item: Binding, hint: Any) -> tuple[Artifact, Trust, Any]:
        """The artifact behind a binding, whether it may be unpickled, and its annotation."""
        if type(item) is Use:
            made = self._results[item.call]
            step = self._plan.graph.calls[item.call].step
            return made.outputs[item.output], Trust(made.verified, made.signer), _hint(step, item)
        assert type(item) is Held
        return item.artifact, Trust(item.vouched), hint

    def _origin(self, item: Binding) -> str:
        """Whose output it is, for errors."""
        if type(item) is Use:
            run, call, output = self._plan.run, item.call, item.output
        elif type(item) is Held and item.origin:
            run, call, output = item.origin
        else:
            return "A value given to the run"
        return f"Output {output!r} of step {call} in run {run}"


def _hint(step: Step[..., Any], use: Use) -> Any:
    return next(item.hint for item in step.signature.outputs if item.name == use.output)
