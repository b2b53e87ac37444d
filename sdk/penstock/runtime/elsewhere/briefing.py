"""Briefing: what a worker has to know of a run before it can carry out its steps."""

from __future__ import annotations

import json
import mmap
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from penstock.artifacts.formats import pickle as pickles
from penstock.artifacts.trust import Keyring
from penstock.errors import CannotRun
from penstock.model.plan import Plan
from penstock.runtime import loading
from penstock.runtime.capturing import detours
from penstock.runtime.elsewhere import by_value
from penstock.runtime.elsewhere.by_value import Parcel
from penstock.stack.stack import Stack

_dump: Final = json.JSONEncoder().encode


@dataclass(frozen=True, slots=True)
class Briefing:
    """Lies in memory that only this process and its workers have: it is believed."""

    run: str
    plan: bytes
    stack: Stack
    """References in it are resolved, and secrets are as they are."""
    keys: Keyring
    root: Path
    """The project's."""


def written(plan: Plan, stack: Stack, keys: Keyring, root: Path) -> int:
    """A file without a name, with the briefing and the code that cannot be imported.

    Raises `CannotRun` for what cannot be sent.
    """
    code = by_value.packed(plan.steps)
    told = Briefing(plan.run, plan.to_bytes(), _bare(stack), keys, root)
    try:
        rest = pickles.by_name(told)
    except Exception as error:  # a component may refuse with any error
        raise CannotRun(
            f"The stack {stack.name!r} cannot be given to worker processes: "
            f"{type(error).__name__}: {error}.",
            hint="Take LocalOrchestrator(workers='threads').",
        ) from error
    path = [os.path.abspath(entry) for entry in sys.path]
    head = {"path": path, "arguments": sys.argv, "code": len(code)}
    file = detours.nameless()
    with open(file, "wb", closefd=False) as writing:
        writing.writelines([_dump(head).encode(), b"\n", code, rest])
    return file


def read(file: int) -> tuple[Briefing, Parcel]:
    """Both, in a worker: modules are looked for in the same places from here on.

    Raises what the user's code does when it is imported.
    """
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
        head = json.loads(data.readline())
        sys.path[:], sys.argv[:] = head["path"], head["arguments"]
        parcel = by_value.unpacked(data.read(head["code"]))
        with loading.importing("what the stack is made of"):
            briefing: Briefing = pickles.unpickle(data.read(), ())
    os.close(file)
    return briefing, parcel


def _bare(stack: Stack) -> Stack:
    """Its components as they are configured, without what they hold besides."""
    return replace(stack.each(replace), written=())
