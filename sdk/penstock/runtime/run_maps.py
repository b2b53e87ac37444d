"""The maps of a run over lists known at run time, and their items, as its records tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.artifacts.values import Values
from penstock.model.binding import Binding
from penstock.model.records import RunRecord, StepRun
from penstock.runtime import map_view
from penstock.runtime.ledger import Get, Ledger
from penstock.runtime.notation import Expansion


class RunMaps:
    """What is written once is read once."""

    def __init__(
        self, ledger: Ledger, values: Values, record: RunRecord, step: Callable[[str], StepRun]
    ) -> None:
        """`step` gives the record of a call of the plan."""
        self._ledger = ledger
        self._values = values
        self._record = record
        self._step = step
        self._made: dict[str, Expansion] = {}
        self._listed: dict[str, tuple[StepRun, Sequence[Binding]]] = {}

    def of(self, item: str) -> str:
        """The map whose item this is; empty if it is none."""
        head, _, number = item.rpartition(".")
        if head not in self._record.maps or not number.isdecimal():
            return ""
        return head if int(number) < self.count(head) and number == str(int(number)) else ""

    def has_begun(self, call: str) -> bool:
        """Whether a map has become its items in this run, and was not taken as a whole."""
        return self._expansion(call) is not None

    def count(self, call: str) -> int:
        """How many items a map has, as far as that is known."""
        made = self._expansion(call)
        return made.count if made is not None else len(self._given(call)[1])

    def items(self, call: str) -> Sequence[str]:
        """Their ids."""
        return [f"{call}.{place}" for place in range(self.count(call))]

    def taken(self, item: str, get: Get | None = None) -> StepRun | None:
        """The record of an item that was taken from the cache, alone or with its map."""
        parent = self.of(item)
        if not parent:
            return None
        made = self._expansion(parent)
        if made is not None:
            if item not in made.hits:
                return None
            if (hit := self._ledger.hit_of(made, item, get)) is not None:
                return hit
        whole, given = self._given(parent)
        place = int(item.rpartition(".")[2])
        if place >= len(given):
            return None
        return map_view.item_record(whole, place, given[place], list(whole.outputs))

    def _expansion(self, call: str) -> Expansion | None:
        known = self._made.get(call)
        if known is None and (found := self._ledger.expansion(self._record.run, call)) is not None:
            known = self._made[call] = found
        return known

    def _given(self, call: str) -> tuple[StepRun, Sequence[Binding]]:
        """The record of a map, and what its items gave."""
        known = self._listed.get(call)
        if known is None:
            whole = self._step(call)
            known = whole, map_view.listed(self._values, whole)
            if whole.usable:
                self._listed[call] = known
        return known
