"""Reasons: in a word why a step ran, for the line that tells that it is done."""

from __future__ import annotations

import logging
from typing import Final

from penstock.model.records import Status, StepRun
from penstock.runtime.explaining import recorded
from penstock.runtime.explaining.change import Explanation, in_words
from penstock.runtime.explaining.explainer import Explainer
from penstock.runtime.explaining.recorded import ASKED_FOR

MOST: Final = 50
"""Steps of a run that are explained while it runs; `penstock run why` explains them all."""

EARLIER: Final = 4
"""Runs that they are compared with."""

_log: Final = logging.getLogger("penstock.explaining")


class Reasons:
    """Nothing for a step that never ran before, or that was to run in any case."""

    def __init__(self, explainer: Explainer) -> None:
        self._explainer = explainer
        self._left = MOST

    def __call__(self, step: StepRun) -> str:
        """Why it ran, in a word, or nothing."""
        if step.status is not Status.COMPLETED:
            return ""
        if self._left <= 0:
            return step.why if recorded.kind(step.why) not in ASKED_FOR else ""
        self._left -= 1
        try:
            return _told(self._explainer.of(step))
        except Exception:  # a defect here, or a store that fails, costs a word and never a run
            _log.debug("Step %s could not be explained.", step.call, exc_info=True)
            return ""


def _told(found: Explanation) -> str:
    if any(change.kind in ASKED_FOR for change in found.changes):
        return ""
    compared = found.against or any(change.kind not in _FIRST for change in found.changes)
    return in_words(found.changes) if compared else ""


_FIRST: Final = frozenset({"never-ran", "failed"})
