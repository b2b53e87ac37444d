"""Outputs: what a call gives, on its way into the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from penstock.artifacts.formats.failure import FAILURE, FailureFormat
from penstock.artifacts.source import Writing
from penstock.artifacts.values import Values
from penstock.model import plain
from penstock.model.graph import Call
from penstock.model.records import Artifact, Failure
from penstock.runtime.item_lists import ItemLists


class Outputs:
    """What the calls of one plan give."""

    def __init__(self, values: Values, lists: ItemLists) -> None:
        self._values = values
        self._lists = lists

    def saved(self, call: Call, value: Any, writing: Writing) -> dict[str, Artifact]:
        """What the step's function returned, by the names of its outputs; see `Job.execute`."""
        signature = call.step.signature
        return {
            output.name: (self._lists.saved if output.name in call.mapped else self._values.save)(
                item, output.hint, f"Output {output.name!r} of step {call.id}", writing
            )
            for output, item in zip(signature.outputs, signature.split(value, call.id), strict=True)
        }

    def nothing(self, call: Call, count: int | None) -> dict[str, Artifact]:
        """None in the place of each output; or a list of it, for so many items of a map."""
        text = plain.encode(None if count is None else [None] * count)
        artifact = self._values.stored("json/1", [text.encode("ascii")])
        return {output.name: artifact for output in call.outputs}

    def in_place(self, call: Call, failure: Failure) -> dict[str, Artifact]:
        """A failure in the place of each output."""
        # Without the traceback: equal failures are to be equal inputs of what comes next.
        told = replace(failure, traceback="", step=call.id)
        artifact = self._values.stored(FAILURE, FailureFormat(Failure).dump(told))
        return {output.name: artifact for output in call.step.signature.outputs}
