"""Reasons: in a word why a step ran, for the line that tells that it is done."""

from __future__ import annotations

import logging
import time
from typing import Final, Protocol

from penstock.model.records import Status, StepRun
from penstock.runtime.explaining import recorded
from penstock.runtime.explaining.change import Explanation, in_words
from penstock.runtime.explaining.recorded import ASKED_FOR

MOST: Final = 50
"""Steps of a run that are explained while it runs; `penstock run why` explains them all."""

SECONDS: Final = 1.0
"""What all of that may take in a run. A store that is far away answers slowly."""

EARLIER: Final = 4
"""Runs that they are compared with."""

LOOKED: Final = 20
"""Runs of all pipelines that are looked at to find them."""

_log: Final = logging.getLogger("penstock.explaining")


class Explains(Protocol):
    """What is asked: an `Explainer`."""

    def of(self, step: StepRun) -> Explanation: ...


class Reasons:
    """Nothing for a step that never ran before, or that was to run in any case."""

    def __init__(self, explainer: Explains, seconds: float = SECONDS) -> None:
        self._explainer = explainer
        self._left = MOST
        self._seconds = seconds

    def __call__(self, step: StepRun) -> str:
        """Why it ran, in a word, or nothing."""
        if step.status is not Status.COMPLETED:
            return ""
        if self._left <= 0 or self._seconds <= 0:
            return step.why if recorded.kind(step.why) not in ASKED_FOR else ""
        self._left -= 1
        began = time.perf_counter()
        try:
            return _told(self._explainer.of(step))
        except Exception:  # a defect here, or a store that fails, costs a word and never a run
            _log.debug("Step %s could not be explained.", step.call, exc_info=True)
            return ""
        finally:
            self._seconds -= time.perf_counter() - began


def _told(found: Explanation) -> str:
    if any(change.kind in ASKED_FOR for change in found.changes):
        return ""
    compared = found.against or any(change.kind not in _FIRST for change in found.changes)
    return in_words(found.changes) if compared else ""


_FIRST: Final = frozenset({"never-ran", "failed"})
