"""Donors: the runs from which the results of steps that are left out are taken.

Whether a step runs or is skipped is one fact of a run. What depends on one condition comes from
one run, or nothing does: half of one and half of another is what no whole run can give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from penstock.errors import CorruptArtifact
from penstock.model.binding import Use
from penstock.model.graph import Call
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime.cache import Cache, Key
from penstock.runtime.foretold import Foretold
from penstock.runtime.ledger import Ledger

Given = tuple[RunRecord, StepRun]


class Donors:
    """Runs of a pipeline, those that count first before the others."""

    def __init__(
        self, runs: Iterable[RunRecord], calls: Mapping[str, Call], foretold: Foretold,
        ledger: Ledger, cache: Cache,
    ) -> None:  # fmt: skip
        self._left = iter(runs)
        self._seen: list[RunRecord] = []
        self._calls = calls
        self._foretold = foretold
        self._ledger = ledger
        self._cache = cache
        self._known: dict[tuple[str, str], StepRun | None] = {}
        self._asked = {id: set(_asked(call)) for id, call in calls.items()}

    def given(self, needed: Sequence[str]) -> Iterator[tuple[Sequence[str], dict[str, Given]]]:
        """What they have of these steps: all of one run if any has all of it. Otherwise of several
        runs, and for those steps together that must be of one and are of none, nothing."""
        whole = self._of_one_run(needed)
        if whole:
            yield needed, whole
            return
        for group in _joined({call: self._conditions(call) for call in needed}):
            yield group, self._of_one_run(group)

    def made(self, record: RunRecord, call: str) -> StepRun | None:
        """What one of them has of a step: computed, taken from the cache, or skipped."""
        key = record.run, call
        if key not in self._known:
            self._known[key] = self._read(record, call)
        return self._known[key]

    def _of_one_run(self, group: Sequence[str]) -> dict[str, Given]:
        """From the first run that has all of these. What was skipped in a newer one, it must have
        skipped, too."""
        skipped: set[str] = set()
        for record in self._runs():
            if not self._agrees(record, group):
                continue
            found = {
                call: made
                for call in group
                if call in record.calls and (made := self._usable(record, call)) is not None
            }
            now = {call for call, made in found.items() if made.status is Status.SKIPPED}
            if len(found) == len(group) and now >= skipped:
                return {call: (record, made) for call, made in found.items()}
            skipped |= now
        return {}

    def _agrees(self, record: RunRecord, group: Sequence[str]) -> bool:
        """Whether in a run those steps were skipped that would be now, as far as that is known."""
        return all(
            made is None or (made.status is Status.SKIPPED) is skipped
            for call in self._touched(group)
            if (skipped := self._foretold.skipped.get(call)) is not None
            for made in [self.made(record, call)]
        )

    def _touched(self, group: Sequence[str]) -> Iterator[str]:
        """Those steps behind these, and of these, that may be skipped."""
        behind = with_upstream(group, self._calls)
        touched: set[str] = set()
        for call in self._calls.values():
            if call.id in behind and (call.when or call.upstream & touched):
                touched.add(call.id)
                yield call.id

    def _conditions(self, call: str) -> set[str]:
        """The steps on whose unknown outputs it depends whether this one is skipped. Another one
        that depends on it is of the same run."""
        behind = with_upstream([call], self._calls)
        found = set().union(*(self._asked[id] for id in behind)) - self._foretold.results.keys()
        return found | ({call} & set().union(*self._asked.values()))

    def _runs(self) -> Iterator[RunRecord]:
        yield from self._seen
        for record in self._left:
            self._seen.append(record)
            yield record

    def _usable(self, record: RunRecord, call: str) -> StepRun | None:
        found = self.made(record, call)
        if found is None:
            return None
        names = {output.name for output in self._calls[call].outputs}
        usable = self._cache.usable(found, Key(found.key, found.parts))
        is_all = isinstance(usable, StepRun) and names <= found.outputs.keys()
        return found if is_all else None

    def _read(self, record: RunRecord, call: str) -> StepRun | None:
        with suppress(CorruptArtifact):  # then it is as if there were none
            found = self._ledger.step(record.run, call) or self._ledger.hit_of(record, call)
            if found is not None and found.status.usable:
                return found
        return None


def _asked(call: Call) -> Iterator[str]:
    """The steps on whose outputs it depends whether a call runs."""
    return (each.binding.call for each in call.when if type(each.binding) is Use)


def with_upstream(start: Iterable[str], calls: Mapping[str, Call]) -> set[str]:
    """These and all that they need."""
    found = set(start)
    left = list(found)
    while left:
        new = calls[left.pop()].upstream - found
        found |= new
        left += new
    return found


def _joined(of: Mapping[str, set[str]]) -> list[list[str]]:
    """The names whose sets have something in common, directly or through others."""
    groups: list[tuple[list[str], set[str]]] = []
    for name, own in of.items():
        met = [each for each in groups if each[1] & own]
        groups = [each for each in groups if not each[1] & own]
        names = [other for each in met for other in each[0]]
        groups.append(([*names, name], own.union(*(each[1] for each in met))))
    return [names for names, _ in groups]
