"""Inputs: the arguments of a call, as the store holds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from penstock.artifacts.formats import items, registry
from penstock.artifacts.formats.failure import FAILURE
from penstock.artifacts.values import Trust, Values
from penstock.errors import InputFailed, StoreError
from penstock.model import binding as bindings
from penstock.model import plain
from penstock.model.binding import Binding, Held, Literally, Use
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Artifact, Failure, StepRun
from penstock.model.signature import UNKNOWN
from penstock.runtime import loading
from penstock.runtime.expansion import hint_of_items, output_hint

_PASSED_ON: Final = (
    r"(?s)Step \S+ cannot run: (?P<whose>.+?), which it needs, has failed"
    r"(?: because of (?P<first>.+?))? \((?P<cause>.*)\)\."
)
"""What `InputFailed` says."""


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
            who = f"{self._origin(item, call)} (an input of step {call.id})"
            return self._values.load(artifact, hint, who, folder, trust)

        arguments = {}
        for name, item in call.bindings.items():
            hint = parameters[name].hint
            if call.of and name == self._plan.graph.calls[call.of].over:
                arguments[name] = self._item(item, leaf, hint, call)
            elif type(item) is bindings.Group:
                arguments[name] = bindings.rebuilt(item, leaf, hint)
            else:
                arguments[name] = value = leaf(item, hint)
                if type(value) is Failure and type(item) is Use:
                    self._refuse(value, self._source(item, None)[0], f"step {item.call}", call)
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

    def condition(self, use: Use, call: Call, folder: Callable[[], Path]) -> Any:
        """An output on which it depends whether a call runs."""
        artifact, trust, hint = self._source(use, None)
        who = f"{self._origin(use, call)} (a condition of step {call.id})"
        return self._values.load(artifact, hint, who, folder, trust)

    def _item(
        self, item: Binding, leaf: Callable[[Binding, Any], Any], hint: Any, call: Call
    ) -> Any:
        """One item of a list that was known at run time. The step that made the list knows best
        what it is."""
        known = hint_of_items(self._plan, call)
        value = items.value(item, leaf, hint if known is UNKNOWN else known)
        if type(value) is Failure and type(item) is Held:
            self._refuse(value, item.artifact, value.step and f"step {value.step}", call)
        return value

    def _refuse(self, failure: Failure, artifact: Artifact, who: str, call: Call) -> None:
        """A list may hold failures; one value that is to be worked on may not be one."""
        if artifact.format == FAILURE:
            raise InputFailed(
                f"Step {call.id} cannot run: {who}, which it needs, has failed{_cause(failure)}."
            )

    def _source(self, item: Binding, hint: Any) -> tuple[Artifact, Trust, Any]:
        """The artifact behind a binding, whether it may be unpickled, and its annotation."""
        if type(item) is Use:
            made = self._results[item.call]
            hint = output_hint(self._plan.graph.calls[item.call], item.output, hint)
            return made.outputs[item.output], Trust(made.verified, made.signer), hint
        assert type(item) is Held
        return item.artifact, Trust(item.vouched), loading.hint_of_held(item, hint)

    def _origin(self, item: Binding, call: Call) -> str:
        """Whose output it is, for errors."""
        if call.of and type(item) is Held and item.origin is None:
            parent = self._plan.graph.calls[call.of]
            whose = bindings.spoken(parent.bindings[parent.over])
            return f"Item {call.id.rpartition('.')[2]} of {whose}"
        if type(item) is Use:
            run, step, output = self._plan.run, item.call, item.output
        elif type(item) is Held and item.origin:
            run, step, output = item.origin
        else:
            return "A value given to the run"
        return f"Output {output!r} of step {step} in run {run}"


def _cause(failure: Failure) -> str:
    """What has failed first: of a step that could not run because of another one, that one."""
    found = re.fullmatch(_PASSED_ON, failure.message)
    if failure.kind != InputFailed.__name__ or found is None:
        return f" ({failure.kind}: {failure.message})"
    return f" because of {found['first'] or found['whose']} ({found['cause']})"
