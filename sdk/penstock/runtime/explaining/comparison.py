"""Comparison: a step of one run beside a record of it in another run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from penstock.errors import StoreError
from penstock.model.binding import Binding, Held, Use
from penstock.model.records import RunRecord, StepRun
from penstock.runtime.explaining import keys, leaves
from penstock.runtime.explaining.change import Change, in_order, in_words, with_cause
from penstock.runtime.explaining.edits import Codes
from penstock.runtime.explaining.texts import arrow, dotted
from penstock.runtime.notation import MALFORMED

Steps = Callable[[str], StepRun]
"""What became of a step in the run that is explained."""

Inputs = Callable[[str], Mapping[str, Binding]]
"""What a step is given there."""

Others = Callable[[RunRecord, str], StepRun | None]
"""What another run has of a step."""


Plans = Callable[[RunRecord], Inputs]
"""What steps were given in another run. Raises `StoreError` or one of `MALFORMED`."""

READABLE: Final = frozenset({"dataclass/1", "pydantic/1"})
"""Formats whose bytes are the name of a class on a line, and then JSON."""


class Comparison:
    """Says of the steps of one run what is different from what another one has."""

    def __init__(
        self, record: RunRecord, steps: Steps, inputs: Inputs, others: Others, plans: Plans,
        codes: Codes,
    ) -> None:  # fmt: skip
        self.steps = steps
        """What became of each step."""
        self._record = record
        self._inputs = inputs
        self._others = others
        self._plans = plans
        self._codes = codes

    def distance(self, run: RunRecord, other: StepRun, step: StepRun) -> int:
        """How many things are different. Raises one of `MALFORMED`."""
        if other.key == step.key:
            return 0
        found = list(keys.differences(keys.read(other.parts), keys.read(step.parts)))
        more = any(change.kind == "code" for change in found)
        return len(found) + (self._codes.distance(step.step, run, self._record) - 1 if more else 0)

    def between(
        self, run: RunRecord, other: StepRun, step: StepRun, *, causes: bool = True
    ) -> Iterator[Change]:
        """What is different between the record of another run and this one's; with `causes`, of
        inputs also why.

        Raises one of `MALFORMED` for records that are none.
        """
        if other.key == step.key:
            return
        given = _given(self._inputs(step.call))
        for change in keys.differences(keys.read(other.parts), keys.read(step.parts)):
            if change.kind == "code":
                yield from self._codes.edits(step.step, run, self._record) or [change]
            elif change.kind == "names":
                yield from self._named(change, given, run)
            elif change.kind == "input":
                fed = self._value(change, given, run, step.call) or _fed(change, given)
                cause = self._cause(given.get(change.name), run) if causes else ""
                yield with_cause(fed, cause)
            else:
                yield change

    def _value(
        self, change: Change, given: Mapping[str, Binding], run: RunRecord, call: str
    ) -> Change | None:
        """A small value that was given to the pipeline and is no plain data, for example an object
        of a dataclass: as text. None if it is something else."""
        now = _text(given.get(change.name))
        if now is None:
            return None
        with suppress(StoreError, *MALFORMED):
            was = _text(_given(self._plans(run)(call)).get(change.name))
            if was is not None and was != now:
                words = arrow(change.name, was, now)
                return Change("parameter", change.name, was, now, words=words)
        return None

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
                return in_words(in_order(self.between(run, other, step, causes=False)))
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


def _given(inputs: Mapping[str, Binding]) -> dict[str, Binding]:
    """Where each single value comes from."""
    return {
        path: leaf
        for name, binding in inputs.items()
        for path, leaf in leaves.in_binding(name, binding)
    }


def _fed(change: Change, given: Mapping[str, Binding]) -> Change:
    """An input that is another one, and who made it."""
    maker = _maker(given.get(change.name))
    what = f"input {change.name} (of {maker})" if maker else f"input {change.name}"
    ending = "changed" if change.is_edit else "is new" if change.new else "is gone"
    return Change("input", change.name, change.old, change.new, maker, "", f"{what} {ending}")


def _text(binding: Binding | None) -> str | None:
    """A stored value as text, if it is small and readable."""
    if not isinstance(binding, Held) or binding.artifact.format not in READABLE:
        return None
    data = binding.artifact.data
    return None if data is None else data.decode("utf-8", "replace").partition("\n")[2]


def _maker(binding: Binding | None) -> str:
    """The step that made a value, with its run if that is another one."""
    if isinstance(binding, Use):
        return binding.call
    if isinstance(binding, Held) and binding.origin:
        run, call, _ = binding.origin
        return f"{call} of run {run}"
    return ""
