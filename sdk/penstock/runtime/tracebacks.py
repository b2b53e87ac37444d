"""Tracebacks: errors as users see them, with their own frames and none of ours."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from types import FrameType, TracebackType
from typing import Any, Final

from penstock.artifacts.draft import Draft
from penstock.artifacts.store import ArtifactStore
from penstock.errors import OURS, PenstockError
from penstock.model.records import Failure
from penstock.runtime.masking import Mask
from penstock.runtime.stopping import is_end
from penstock.stack.orchestrator import Orchestrator

_PYTHON: Final = ("<frozen ", sysconfig.get_path("stdlib"))
_INSTALLED: Final = tuple(sysconfig.get_path(name) for name in ("purelib", "platlib"))


def trim(error: BaseException, function: Callable[..., Any] | None = None) -> None:
    """Leave the user's frames in a traceback, and in those of its causes."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        item = waiting.pop()
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        item.__traceback__ = _users_frames(item, function)
        if isinstance(item, PenstockError) and not is_users(item.__cause__):
            item.__cause__ = None  # a library's error, which ours repeats in words
        waiting += [item.__cause__, item.__context__]


def _users_frames(
    error: BaseException, function: Callable[..., Any] | None
) -> TracebackType | None:
    """From the step's function on, without ours. None are left of an error of ours, but all of
    a defect of ours."""
    frames: list[TracebackType] = []
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code is getattr(function, "__code__", None):
            frames.clear()  # what is above it is how we, or asyncio, came to call it
        if isinstance(error, PenstockError) and _is_components(frame.tb_frame):
            break  # what is below it is how the component came to say what it says
        frames.append(frame)
        frame = frame.tb_next
    kept = None
    for frame in reversed(list(_not_ours(frames))):
        kept = TracebackType(kept, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return kept if kept or isinstance(error, PenstockError) else error.__traceback__


def _not_ours(frames: Iterable[TracebackType]) -> Iterator[TracebackType]:
    """The user's frames and others', and Python's beside them: between ours it is our own tool."""
    stretches = [(whose, list(some)) for whose, some in groupby(frames, _whose)]
    beside = ["ours", *(whose for whose, _ in stretches), "ours"]
    for number, (whose, some) in enumerate(stretches):
        if whose == "others" or (whose == "python" and "others" in beside[number : number + 3]):
            yield from some


def _whose(frame: TracebackType) -> str:
    file = frame.tb_frame.f_code.co_filename
    if file.startswith(OURS):
        return "ours"
    return "python" if file.startswith(_PYTHON) and not file.startswith(_INSTALLED) else "others"


def _is_components(frame: FrameType) -> bool:
    """Whether this is a store, or an orchestrator that hands things on: no step is called there."""
    whose = frame.f_locals.get("self")
    if isinstance(whose, Orchestrator):
        return whose.elsewhere
    return isinstance(whose, ArtifactStore | Draft)


def is_users(error: BaseException | None) -> bool:
    """Whether code of the user's has a part in it."""
    frames = traceback.walk_tb(error.__traceback__) if error is not None else ()
    files = [frame.f_code.co_filename for frame, _ in frames]
    return any(not file.startswith((OURS, *_PYTHON, *_INSTALLED)) for file in files)


def failure(error: BaseException, text: str, mask: Mask) -> Failure:
    """An error for the record, without the secrets; `text` is what Python prints of it."""
    return Failure(type(error).__qualname__, mask.text(_said(error)), mask.text(text))


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit) and not is_end(type(error)):
        return f"the step called sys.exit({error.code!r})"
    try:
        return str(error)
    except Exception as another:  # an error's own code may be wrong, too
        return f"(its message cannot be read: {type(another).__qualname__})"
