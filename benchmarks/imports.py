"""Importing: what `from penstock import pipeline, step` costs, and what it loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pairs import Cost, alternate
from process import python
from row import Goal, Row, counted, timed

OURS: Final = "from penstock import pipeline, step"
BARE: Final = ""
COUNT: Final = "\nimport sys; print(*sys.modules)"
HEAVY: Final = frozenset(
    ["networkx", "pydantic", "fsspec", "ruamel", "rich", "click", "numpy", "cloudpickle"]
)


def rows(folder: Path, rounds: int) -> Iterator[Row]:
    def cost(code: str) -> Cost:
        return python(folder, "-c", code).cost

    cost(OURS)  # once for what is compiled the first time
    sides = {"ours": lambda _: cost(OURS), "bare": lambda _: cost(BARE)}
    taken = alternate(sides, range(rounds))
    yield timed("import", taken["ours"], "bare python", taken["bare"], Goal(times=5))

    ours, bare = (set(python(folder, "-c", code + COUNT).out.split()) for code in (OURS, BARE))
    heavy = {module.partition(".")[0] for module in ours} & HEAVY
    yield counted("modules, beyond bare python", "modules", [len(ours - bare)])
    yield counted("heavy libraries among them", "modules", [len(heavy)], Goal(most=0))
