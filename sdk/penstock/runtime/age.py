"""Age: whether a result is too old for a step that says `cache_for=`."""

from __future__ import annotations

import time

from penstock.model import durations
from penstock.model.records import StepRun


def too_old(found: StepRun, limit: float) -> str:
    """Why a result cannot be used any more after `limit` seconds; empty if it can.

    It is as old as its step's first look at the world. A date that is far ahead says nothing of
    how old it is: some clock was wrong.
    """
    age = time.time() - found.started
    if abs(age) <= limit:
        return ""
    span = durations.spoken(limit)
    if age > 0:
        return f"the result is older than {span}"
    return f"the result is dated more than {span} ahead of the clock here"
