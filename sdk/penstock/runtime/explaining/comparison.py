"""Comparison: a step of one run beside a record of it in another run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from penstock.errors import StoreError
from penstock.model.binding import Binding, Held, Use
from penstock.model.records import RunRecord, StepRun
from penstock.runtime.explaining import keys, leaves
from penstock.runtime.explaining.change import Change, in_order, in_words, with_cause
from penstock.runtime.explaining.edits import Codes
from penstock.runtime.explaining.texts import dotted
from penstock.runtime.notation import MALFORMED

Steps = Callable[[str], StepRun]
"""What became of a step in the run that is explained."""

Inputs = Callable[[str], Mapping[str, Binding]]
"""What a step is given there."""

Others = Callable[[RunRecord, str], StepRun | None]
"""What another run has of a step."""


class Comparison:
    """Says of the steps of one run what is different from what another one has."""

    def __init__(
        self, record: RunRecord, steps: Steps, inputs: Inputs, others: Others, codes: Codes
    ) -> None:
        self.steps = steps
        """What became of each step."""
        self._record = record
        self._inputs = inputs
        self._others = others
        self._codes = codes

    def distance(self, run: RunRecord, other: StepRun, step: StepRun) -> int:
        """How many things are different. Raises one of `MALFORMED`."""
        if other.key == step.key:
            return 0
        found = list(keys.differences(keys.read(other.parts), keys.read(step.parts)))
        more = any(change.kind == "code" for change in found)
        return len(found) + (self._codes.distance(step.step, run, self._record) - 1 if more else 0)

    def between(self, run: RunRecord, other: StepRun, step: StepRun) -> Iterator[Change]:
        """What is different between the record of another run and this one's.

        Raises one of `MALFORMED` for records that are none.
        """
        if other.key == step.key:
            return
        given = self._given(step.call)
        for change in keys.differences(keys.read(other.parts), keys.read(step.parts)):
            if change.kind == "code":
                yield from self._codes.edits(step.step, run, self._record) or [change]
            elif change.kind == "names":
                yield from self._named(change, given, run)
            elif change.kind == "input":
                yield self._fed(change, given, run)
            else:
                yield change

    def _given(self, call: str) -> dict[str, Binding]:
        """Who makes each single value that a step is given."""
        return {
            path: leaf
            for name, binding in self._inputs(call).items()
            for path, leaf in leaves.in_binding(name, binding)
        }

    def _fed(self, change: Change, given: Mapping[str, Binding], run: RunRecord) -> Change:
        """An input that is another one: who made it, and why that is so."""
        binding = given.get(change.name)
        what, maker = f"input {change.name}", _maker(binding)
        if maker:
            what = f"{what} (of {maker})"
        ending = "changed" if change.is_edit else "is new" if change.new else "is gone"
        found = Change("input", change.name, change.old, change.new, maker, "", f"{what} {ending}")
        return with_cause(found, self._cause(binding, run)) if change.is_edit else found

    def _cause(self, binding: Binding | None, run: RunRecord) -> str:
        """Why a step has given something else than in an earlier run."""
        if not isinstance(binding, Use):
            return ""
        with suppress(StoreError, *MALFORMED):
            step = self.steps(binding.call)
            other = self._others(run, binding.call)
            if other is not None and other.key == step.key:
                return "it has given something else for the same"
            if other is not None:
                return in_words(in_order(self.between(run, other, step)))
        return ""

    def _named(
        self, change: Change, given: Mapping[str, Binding], run: RunRecord
    ) -> Iterator[Change]:
        """The code that an input names is another one, though its bytes are the same."""
        binding = given.get(change.name)
        names = self._names(binding)
        if found := self._codes.edits_of(names, run, self._record):
            yield from found
            return
        said = f" ({', '.join(map(dotted, names))})" if names else ""
        words = f"code that input {change.name} names{said} changed"
        yield Change("names", change.name, change.old, change.new, _maker(binding), "", words)

    def _names(self, binding: Binding | None) -> tuple[str, ...]:
        if isinstance(binding, Held):
            return binding.artifact.names
        if isinstance(binding, Use):
            outputs = self.steps(binding.call).outputs
            return outputs[binding.output].names if binding.output in outputs else ()
        return ()


def _maker(binding: Binding | None) -> str:
    """The step that made a value, with its run if that is another one."""
    if isinstance(binding, Use):
        return binding.call
    if isinstance(binding, Held) and binding.origin:
        run, call, _ = binding.origin
        return f"{call} of run {run}"
    return ""
