"""Whose code an error comes from: a component's, which its user can do something about."""

from __future__ import annotations

import traceback
from types import FrameType

from penstock.artifacts.store import ArtifactStore
from penstock.errors import OURS, PenstockError, RunError, StoreError, raised_at
from penstock.model.component import StackComponent
from penstock.stack.component import spoken


def blamed(error: BaseException) -> PenstockError | None:
    """What a component should not have raised, said as an error of that component; or nothing.

    It costs nothing until something is wrong: the traceback says through whose methods the error
    came, and the innermost counts. What comes from a component of penstock's own is a defect of
    ours, and stays what it is.
    """
    if isinstance(error, PenstockError) or not isinstance(error, Exception):
        return None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    found = next(filter(None, map(_component, reversed(frames))), None)
    if found is None:
        return None
    kind = StoreError if isinstance(found, ArtifactStore) else RunError
    said = kind(
        f"The {spoken(found.category)} {found.name!r} (flavor {found.flavor!r}) failed: "
        f"{type(error).__name__}: {error} ({raised_at(error, found)})"
    )
    said.__cause__ = error
    return said


def _component(frame: FrameType) -> StackComponent | None:
    """Whose method runs in a frame, if it is a component that others wrote."""
    if frame.f_code.co_filename.startswith(OURS):
        return None
    found = frame.f_locals.get("self")
    return found if isinstance(found, StackComponent) else None
