"""Frames: how deep under `run()` the function of a step is called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from process import fresh, script
from row import Goal, Row, counted

import penstock


def rows(folder: Path) -> Iterator[Row]:
    (home,) = penstock.__path__
    (files,) = [
        script("pipelines.py", place, "frames").out.split("\n") for place in fresh(folder, 1)
    ]
    ours = sum(file.startswith(home) for file in files) - 1  # `run()` itself is not in between
    yield counted("frames between run() and the step", "frames", [ours], Goal(most=6))
