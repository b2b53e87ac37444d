"""Runs of pipelines of steps that do nothing, computed and then found, each beside bare files.

In each round the sides work in a folder of their own, so that nothing is found by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Final

from pairs import Cost
from process import script

FILES: Final = "file operations"


def sides(what: str, size: int, steps: int) -> Mapping[str, Callable[[Path], Cost]]:
    """Computed, written, found and read, in this order.

    `what` is a pipeline that `pipelines.py` knows; its run of this size has so many steps.
    """
    name = f"{what}-{size}"
    return {
        f"{name} computed": partial(ours, name, what, size),
        f"{name} written": partial(bare, name, "write", steps),
        f"{name} found": partial(ours, name, what, size),
        f"{name} read": partial(bare, name, "read", steps),
    }


def ours(name: str, what: str, size: int, place: Path) -> Cost:
    """A run, in a folder that the other sides of this name share."""
    folder = place / name
    folder.mkdir(exist_ok=True)
    return script("pipelines.py", folder, what, size).reported


def bare(name: str, what: str, steps: int, place: Path) -> Cost:
    """As many records as ours, and as long."""
    folder = place / name
    records = (folder / ".penstock").glob("runs/*/steps/*.json")
    size = round(mean(path.stat().st_size for path in records))
    return script("raw.py", folder, what, steps, size).reported
