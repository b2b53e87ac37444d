"""The difference between two runs: what they were given, what they ran, what came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from penstock.artifacts.values import Values
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime.explaining.change import Change, in_order, in_words
from penstock.runtime.explaining.comparison import Comparison, Steps
from penstock.runtime.explaining.edits import Codes
from penstock.runtime.explaining.texts import arrow
from penstock.runtime.explaining.why import Plan, given_in
from penstock.runtime.notation import MALFORMED


@dataclass(frozen=True, slots=True)
class StepDifference:
    """One step in both runs."""

    step: str
    statuses: tuple[Status | None, Status | None]
    """None in a run that does not have the step."""
    seconds: tuple[float | None, float | None]
    same_key: bool | None
    """None where one of them has no key: it is not there, or did not get so far."""
    same_outputs: bool | None
    """Whether the outputs have the same digests; None where one of them has none."""
    changes: tuple[Change, ...] = ()

    @property
    def words(self) -> str:
        """What is different in what it was computed from, in a few words."""
        return in_words(self.changes)


@dataclass(frozen=True, slots=True)
class Difference:
    """What is different in the second run."""

    runs: tuple[str, str]
    seconds: tuple[float, float]
    parameters: tuple[Change, ...]
    code: tuple[Change, ...]
    """Of all steps that both have, each thing once."""
    packages: tuple[Change, ...]
    steps: tuple[StepDifference, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    record: RunRecord
    steps: Steps
    plan: Plan
    seconds: float


def between(values: Values, old: Side, new: Side) -> Difference:
    """What is different in `new`."""
    codes = Codes(values)
    given, before = given_in(new.plan), given_in(old.plan)
    comparison = Comparison(
        new.record, new.steps, given, lambda _, call: old.steps(call), lambda _: before, codes
    )
    calls = [*new.record.calls, *(id for id in old.record.calls if id not in new.record.calls)]
    steps = tuple(_step(call, old, new, comparison) for call in calls)
    return Difference(
        (old.record.run, new.record.run),
        (old.seconds, new.seconds),
        tuple(_pairs("parameter", old.record.parameters, new.record.parameters)),
        _code(steps),
        tuple(_packages(old.record, new.record, steps)),
        steps,
    )


def _step(call: str, old: Side, new: Side, comparison: Comparison) -> StepDifference:
    was, now = (each.steps(call) if call in each.record.calls else None for each in (old, new))
    changes: tuple[Change, ...] = ()
    if was is not None and now is not None and was.key and now.key:
        with suppress(*MALFORMED):
            changes = in_order(comparison.between(old.record, was, now))
    return StepDifference(
        call,
        (was.status if was else None, now.status if now else None),
        (_took(was), _took(now)),
        was.key == now.key if was and now and was.key and now.key else None,
        _digests(was) == _digests(now) if was and now and was.outputs and now.outputs else None,
        changes,
    )


def _digests(step: StepRun) -> dict[str, str]:
    return {name: artifact.digest for name, artifact in step.outputs.items()}


def _took(step: StepRun | None) -> float | None:
    return step.wall if step is not None and step.started else None


def _code(steps: tuple[StepDifference, ...]) -> tuple[Change, ...]:
    kinds = ("function", "class", "data", "module")
    found = {change.name: change for each in steps for change in each.changes
             if change.kind in kinds}  # fmt: skip
    return in_order(found.values())


def _packages(
    old: RunRecord, new: RunRecord, steps: tuple[StepDifference, ...]
) -> Iterator[Change]:
    """Versions: of Python and penstock as the runs say, of others as the keys of steps say."""
    said = {change.name for each in steps for change in each.changes if change.kind == "package"}
    yield from (change for change in _pairs("package", old.versions, new.versions)
                if change.name not in said)  # fmt: skip
    found = {change.name: change for each in steps for change in each.changes
             if change.kind == "package"}  # fmt: skip
    yield from found.values()


def _pairs(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in (*new, *(name for name in old if name not in new)):
        was, now = old.get(name), new.get(name)
        if was != now:
            yield Change(kind, name, was, now, words=arrow(name, was, now))
