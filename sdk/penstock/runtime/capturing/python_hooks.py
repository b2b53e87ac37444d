"""Hooks: what Python itself is told differently for the length of a run."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from penstock.runtime import context
from penstock.runtime.capturing.stage import Stage


class Starts:
    """A thread belongs to the step that starts it: contexts are not inherited by threads."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._real: Callable[[threading.Thread], None] = threading.Thread.start
        self._is_on = self._is_covered = False

        def start(thread: threading.Thread) -> None:
            if self._is_on:
                stage.started(thread)
                context.inherit(thread)
            self._real(thread)

        self._ours = start

    def begin(self) -> None:
        self._is_on = True
        found = threading.Thread.start
        if found is self._real:
            self._is_covered = False
        # Else somebody has wrapped ours, which is still in there.
        if not self._is_covered and found is not self._ours:
            self._real = found
            threading.Thread.start = self._ours  # type: ignore[method-assign, assignment]

    def end(self) -> None:
        self._is_on = False
        self._is_covered = threading.Thread.start is not self._ours
        if not self._is_covered:
            threading.Thread.start = self._real  # type: ignore[method-assign, assignment]


class Breakpoint:
    """Before a debugger starts, the terminal is what a debugger expects."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._real: Callable[..., Any] = sys.breakpointhook

    # Read and left again before the call: a debugger must not find a frame of ours on its stack.
    @property
    def __call__(self) -> Callable[..., Any]:
        self._act()
        return self._real

    def begin(self) -> None:
        self._real = sys.breakpointhook
        sys.breakpointhook = self

    def end(self) -> None:
        if sys.breakpointhook is self:
            sys.breakpointhook = self._real


class Crashes:
    """The last words of a process that crashes go to the terminal, not into a file of ours."""

    def __init__(self) -> None:
        self._is_ours = False

    def begin(self, descriptor: int) -> None:
        # Who enabled it with a file of their own has it there.
        self._is_ours = _is_on_stderr() or not faulthandler.is_enabled()
        if self._is_ours:
            faulthandler.enable(descriptor)

    def end(self) -> None:
        if self._is_ours:
            faulthandler.disable()
            if _is_on_stderr():
                faulthandler.enable(2)


def _is_on_stderr() -> bool:
    """Whether Python was started with it."""
    return (
        sys.flags.dev_mode
        or "faulthandler" in sys._xoptions
        or (not sys.flags.ignore_environment and bool(os.environ.get("PYTHONFAULTHANDLER")))
    )
