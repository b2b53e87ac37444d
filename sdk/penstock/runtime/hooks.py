"""Hooks: functions of the user's that are told what has happened to a step or a run."""

from __future__ import annotations

import time
from typing import Any

from penstock.model.graph import Call
from penstock.model.options import Hook
from penstock.model.records import Status, StepRun
from penstock.runtime.cache import Key
from penstock.runtime.stopping import is_end
from penstock.stack.orchestrator import Observer


def call(hook: Hook | None, what: Any, observer: Observer) -> None:
    """Tell a hook. What it raises is reported and changes nothing."""
    if hook is None:
        return
    try:
        hook(what)
    except BaseException as error:
        if is_end(type(error)):  # Ctrl-C, which is not the hook's
            raise
        observer.note(f"the hook {_named(hook)} failed: {_said(error)}")


def tell_start(step: Call, run: str, observer: Observer, key: Key | None = None) -> None:
    """Tell the hook of a step that is about to run, if it has one."""
    if (hook := step.step.options.on_start) is not None:
        digest, parts = (key.digest, key.parts) if key else ("", "{}")
        record = StepRun(
            run, step.id, step.step.reference, Status.RUNNING, digest, parts, started=time.time()
        )
        call(hook, record, observer)


def _named(hook: Hook) -> str:
    """Its name and where it is written."""
    code = getattr(hook, "__code__", None)
    name = getattr(hook, "__name__", None) or repr(hook)
    if code is None:
        return name
    return f"{name} ({code.co_filename}:{code.co_firstlineno})"


def _said(error: BaseException) -> str:
    """What it raised, and the line of the hook's that did."""
    frames = error.__traceback__ and error.__traceback__.tb_next  # the first is ours
    line = ""
    while frames is not None:
        frame = frames.tb_frame.f_code
        line = f" (line {frames.tb_lineno} in {frame.co_name})"
        frames = frames.tb_next
    return f"{type(error).__qualname__}: {error}{line}"
