"""Skips: the records of calls that are not to run."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from penstock.model.graph import Call
from penstock.model.records import Status, StepRun
from penstock.runtime import conditions
from penstock.runtime.cache import Key, Miss
from penstock.runtime.progress import Progress
from penstock.runtime.stopping import is_end
from penstock.runtime.trials import Trials

_NO_KEY: Final = Miss(Key("", "{}"))
"""What a call has that is not even looked up."""


class Skips:
    """Those of one job."""

    def __init__(self, progress: Progress, trials: Trials) -> None:
        self._progress = progress
        self._trials = trials

    def record(self, call: Call) -> StepRun | None:
        """The record of a call that is not to run: because of a condition, or because of what was
        skipped and cannot be None. Of a condition that cannot be read, the record of that."""
        progress = self._progress
        if not conditions.may_be_skipped(call, progress.results):
            return None
        attempt = self._trials.begun(call, _NO_KEY)
        try:
            with attempt, progress.stop.reach():
                load = partial(progress.inputs.condition, call=call, folder=attempt.scratch.folder)
                why = conditions.why_skipped(call, progress.results, load)
                outputs = progress.outputs.nothing(call, self._count(call)) if why else {}
        except BaseException as error:
            result = self._trials.failed(call, attempt, error)
            if is_end(type(error)):
                raise
            return result
        if not why:
            return None
        result = StepRun(
            progress.plan.run, call.id, call.step.reference, Status.SKIPPED, outputs=outputs,
            started=time.time(), verified=True, why=progress.secrets.mask.text(why),
        )  # fmt: skip
        progress.keep(result)
        return result

    def _count(self, call: Call) -> int | None:
        """How many items a map has that is skipped; nothing if its list was skipped, too."""
        if not call.over or conditions.has_no_list(call, self._progress.results):
            return None
        return len(self._progress.expansions.items(call))
