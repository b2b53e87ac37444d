"""The steps of a run in a table: of a map over a list known at run time, the items that the cache
had are only counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from penstock.model.records import Status
from penstock.runtime.map_view import MapView
from penstock.runtime.step_view import StepView


class Folded:
    """Some of the steps, and what each of them is called there."""

    def __init__(self, views: Sequence[StepView]) -> None:
        self._maps = {view.id: view for view in views if isinstance(view, MapView)}
        self._cached = Counter(self._map_of(view) for view in views if self._is_folded(view))
        self.views = [view for view in views if not self._is_folded(view)]

    def name(self, view: StepView) -> str:
        """`train × 10,000 (9,999 cached)`; of any other step its id."""
        if not isinstance(view, MapView) or view.status is Status.SKIPPED:
            return view.id
        cached = self._cached[view.id]
        return f"{view.id} × {len(view):,}" + (f" ({cached:,} cached)" if cached else "")

    def skipped(self) -> list[str]:
        """Why steps were skipped, a line for each."""
        return [
            f"{view.id} was skipped: {view.record.why}"
            for view in self.views
            if view.status is Status.SKIPPED
        ]

    def _is_folded(self, view: StepView) -> bool:
        return view.status is Status.CACHED and self._map_of(view) != ""

    def _map_of(self, view: StepView) -> str:
        head, _, number = view.id.rpartition(".")
        return head if head in self._maps and number.isdecimal() else ""
