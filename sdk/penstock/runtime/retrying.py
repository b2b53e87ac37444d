"""Retrying: whether a step that has failed is tried again, and when."""

from __future__ import annotations

import sys
from typing import Final, Protocol

from penstock.model.graph import Call
from penstock.model.records import StepRun
from penstock.runtime.observer import first_line
from penstock.runtime.stopping import Stop, Stopped
from penstock.stack.orchestrator import Observer


class Tries(Protocol):
    """How often a call is tried by whoever carries it out, and what its hooks are told of that."""

    def first(self, call: Call) -> int:
        """The number of its first attempt here."""

    def again(
        self, call: Call, result: StepRun, error: BaseException, observer: Observer, stop: Stop
    ) -> bool:
        """Whether another attempt is worth it; if so, after the wait before it."""

    def begins(self, call: Call) -> bool:
        """Whether nobody has tried it before."""

    def ends(self, call: Call, result: StepRun) -> bool:
        """Whether nobody will try it again after this."""


class AllHere:
    """As often as its options say."""

    def first(self, call: Call) -> int:
        return 1

    def again(
        self, call: Call, result: StepRun, error: BaseException, observer: Observer, stop: Stop
    ) -> bool:
        return tries_again(call, result, error, observer, stop)

    def begins(self, call: Call) -> bool:
        return True

    def ends(self, call: Call, result: StepRun) -> bool:
        return True


HERE: Final = AllHere()


def final(call: Call, error: BaseException) -> str:
    """Why no attempt is to follow one that has raised this, though there may be some left; mostly
    empty. Whoever tries again in another process never sees the error itself."""
    retry = call.step.options.retry
    if not retry.times or retry.covers(error):
        return ""
    return f"retries are for {', '.join(map(str, retry.on))} only"


def tries_again(
    call: Call, result: StepRun, error: BaseException, observer: Observer, stop: Stop
) -> bool:
    """Whether another attempt is worth it; if so, after the wait before it.

    Raises `Stopped` if the run is to stop meanwhile.
    """
    retry = call.step.options.retry
    if result.attempt > retry.times:
        return False
    if not retry.covers(error):
        for name in filter(_is_nowhere, map(str, retry.on)):
            observer.note(f"{call.id}: retries name the error {name!r}, and there is none")
        return False
    wait = retry.wait(result.attempt)
    again = f", again in {wait:.1f} s" if wait else ""
    tries = f"attempt {result.attempt} of {retry.times + 1}"
    observer.note(f"{call.id} failed ({first_line(result)}), {tries}{again}")
    if wait and stop.event.wait(wait):
        raise Stopped
    return True


def _is_nowhere(name: str) -> bool:
    """Whether no error of this name, `module:Name`, can have been raised: it is not loaded."""
    module, _, name = name.rpartition(":")
    loaded = sys.modules.get(module or "builtins")
    return not hasattr(loaded, name.partition(".")[0])
