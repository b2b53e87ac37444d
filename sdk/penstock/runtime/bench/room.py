"""Room: whether a machine has what a bench needs, asked before anything is written."""

from __future__ import annotations

import os
from pathlib import Path

from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.store import LARGE, ArtifactStore
from penstock.errors import BadArguments, StoreUnavailable
from penstock.model.resources import quantity
from penstock.quantities import size as shown


def parsed(text: str) -> int:
    """Bytes in a size such as "512MiB", "2 GB" or "1.5Gi". Raises `BadArguments`."""
    size = quantity("".join(text.split()).removesuffix("B"))
    if size is None:
        raise BadArguments(
            f"{text!r} is no size: a number and a unit are needed.",
            hint="For example 512MiB, 2GiB or 100MB.",
        )
    return size


def check(store: ArtifactStore, size: int, small: int, memory: int) -> None:
    """Raises `BadArguments` or `StoreUnavailable` if a value of this size, or so many bytes of
    small ones, cannot be measured."""
    if size < LARGE:
        raise BadArguments(
            f"A large object has at least {shown(LARGE)}, not {shown(size)}.",
            hint="For example 512MiB.",
        )
    if small <= 0:
        raise BadArguments("At least one small object is needed.")
    if 2 * size > memory:
        raise BadArguments(
            f"{shown(size)} are too much for this machine: it has {shown(memory)} of memory, for "
            f"the value and for its file.",
            hint=f"At most {shown(memory // 2)} can be measured.",
        )
    if isinstance(store, LocalArtifactStore):
        free = _free(Path(store.path))
        if (needed := size + 2 * small) > free:
            raise StoreUnavailable(
                f"A bench of {shown(size)} needs {shown(needed)} of room, and {shown(free)} are "
                f"free where {store.path} is.",
                hint="Make room, or measure less.",
            )


def _free(path: Path) -> int:
    """Bytes that this user may still write there."""
    there = next(each for each in (path, *path.parents) if each.exists())
    found = os.statvfs(there)
    return found.f_bavail * found.f_frsize
