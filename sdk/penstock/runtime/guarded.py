"""An observer that may have defects: the run goes on, and nothing about it changes."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from penstock.errors import raised_at
from penstock.model.graph import Call
from penstock.model.records import Status, StepRun
from penstock.runtime import terminal
from penstock.runtime.masking import NOTHING, Mask
from penstock.runtime.observer import Reason, RunObserver


class Guarded:
    """Tells another observer. What that one raises is said once, for as long as the run lasts."""

    def __init__(self, observer: RunObserver, mask: Mask = NOTHING) -> None:
        self._observer = observer
        self._mask = mask
        self._said = False

    def run_started(
        self, run: str, pipeline: str, stack: str, origin: str, calls: Collection[str]
    ) -> None:
        self._tell("run_started", run, pipeline, stack, origin, calls)

    def found_in_cache(self, hits: Mapping[str, StepRun]) -> None:
        self._tell("found_in_cache", hits)

    def explained_by(self, reason: Reason) -> None:
        self._tell("explained_by", lambda run: self._mask.text(reason(run)))

    def step_started(self, call: Call) -> None:
        self._tell("step_started", call)

    def step_finished(self, run: StepRun) -> None:
        self._tell("step_finished", run)

    def note(self, message: str) -> None:
        self._tell("note", self._mask.text(message))

    def run_finished(self, run: str, status: Status, seconds: float, store: str = "") -> None:
        self._tell("run_finished", run, status, seconds, store)

    def _tell(self, event: str, *what: Any) -> None:
        try:
            getattr(self._observer, event)(*what)
        except Exception as error:
            if not self._said:
                self._said = True
                self._say(event, error)

    def _say(self, event: str, error: Exception) -> None:
        name = type(self._observer).__qualname__
        line = (
            f"  note: the observer {name} failed at {event}: {type(error).__name__}: {error} "
            f"({raised_at(error, self._observer)}); the run goes on\n"
        )
        # Standard error may well be what failed. By way of the wrapped one it is in a log at least.
        with suppress(Exception):
            terminal.write(line, sys.stderr)
