"""A map over a list known at run time, as users see it: one step of a run, and a sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from penstock.artifacts.formats import items
from penstock.artifacts.values import Values
from penstock.model.binding import Binding, Group, Held, Literally
from penstock.model.over import item_hint
from penstock.model.records import Artifact, Status, StepRun
from penstock.model.signature import outputs_in
from penstock.runtime.expansion import LISTS
from penstock.runtime.ledger import Ledger
from penstock.runtime.step_view import StepView


class MapView(StepView, Sequence[StepView]):
    """Its own output is the list of what its items gave."""

    def __init__(
        self,
        ledger: Ledger,
        values: Values,
        record: StepRun,
        hints: Mapping[str, Any],
        items: Sequence[str],
        view: Callable[[str], StepView],
    ) -> None:
        super().__init__(ledger, values, record, hints)
        self.items = items
        """The ids of its items, as far as they are known."""
        self._view = view

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, place: int) -> StepView: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[StepView]: ...
    def __getitem__(self, place: int | slice) -> StepView | Sequence[StepView]:
        found = self.items[place]
        return self._view(found) if isinstance(found, str) else [self._view(id) for id in found]

    def __bool__(self) -> bool:
        return True  # a step, also where the list is empty

    def __repr__(self) -> str:
        return f"<step {self.id} {self.status}, a map over {len(self):,} items>"


def listed(values: Values, record: StepRun) -> Sequence[Binding]:
    """What the items of a map gave, by the list that it gave; nothing if there is none."""
    for artifact in record.outputs.values():
        if artifact.format in LISTS:
            who = f"The output of step {record.call} in run {record.run}"
            return items.read(values.buffer(artifact, who)).items
    return ()


def item_record(parent: StepRun, place: int, given: Binding, names: Sequence[str]) -> StepRun:
    """The record of an item that has none: the map was taken from the cache as a whole."""
    id = f"{parent.call}.{place}"
    source = parent.source or (parent.run, parent.call)
    return StepRun(
        parent.run, id, parent.step, Status.CACHED, outputs=_outputs(given, names),
        started=parent.started, source=(source[0], f"{source[1]}.{place}"), signer=parent.signer,
        verified=parent.verified,
    )  # fmt: skip


def item_hints(hints: Mapping[str, Any]) -> dict[str, Any]:
    """The annotations of what one item gives, by those of the map."""
    for hint in hints.values():
        return {output.name: output.hint for output in outputs_in(item_hint(hint))}
    return {}


def _outputs(given: Binding, names: Sequence[str]) -> dict[str, Artifact]:
    """What an item gave, by the names of its outputs."""
    if type(given) is Group:
        keys = given.keys[1:] or [f"output_{place}" for place in range(len(given.items))]
        return {
            str(key): item.artifact
            for key, item in zip(keys, given.items, strict=True)
            if type(item) is Held
        }
    assert not isinstance(given, Literally)
    return {names[0]: given.artifact} if type(given) is Held else {}
