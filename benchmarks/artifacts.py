"""The benchmarks of artifacts: how fast values are kept and got back, beside the raw operation.

    python benchmarks/artifacts.py [--size MB] [--rounds N] [--only NAME] [--json FILE] [--docs]

Time on the clock, medians, with quartiles in brackets. The sides take turns in one
process, in one folder, with everything in the system's cache; ratios are taken pair by pair, see
`pairs.py`. What is deleted is deleted while no clock runs. Every value that comes back is compared
with what was kept, once. TMPDIR says where the files are.

`--docs` writes the figures, the picture and the table for docs/speed.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from runpy import run_path
from tempfile import TemporaryDirectory
from typing import Any, Final

import machine
import memory
import moved
import process
import readme
import small_values
import table
import warm_workers
from row import Row
from things import USUAL, scaled

DOCS: Final = Path(__file__).parents[1] / "docs"
FIGURES: Final = DOCS / "pictures" / "artifacts.json"
LIBRARIES: Final = ("numpy", "pandas", "pyarrow", "joblib", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Choices:
    """How much is measured."""

    folder: Path
    size: int
    """MB of the array; everything else grows with it."""
    rounds: int


Measure = Callable[[Choices], Iterator[Row | moved.Bar]]


def moving(kind: str, chosen: Choices) -> Iterator[Row | moved.Bar]:
    found = moved.measured(kind, chosen.folder, chosen.size, chosen.rounds)
    yield from found.rows()
    yield from found.bars()


def array(chosen: Choices) -> Iterator[Row | moved.Bar]:
    yield from moving("array", chosen)
    yield from memory.array_rows(chosen.folder, chosen.size)


def frame(chosen: Choices) -> Iterator[Row | moved.Bar]:
    yield from moving("frame", chosen)
    yield from memory.column_rows(chosen.folder, chosen.size)


def small(chosen: Choices) -> Iterator[Row | moved.Bar]:
    count = scaled(moved.KINDS["small"].most, chosen.size)
    yield from small_values.rows(chosen.folder, chosen.rounds, count)
    yield from moving("small", chosen)


def workers(chosen: Choices) -> Iterator[Row | moved.Bar]:
    seconds = min(chosen.size / USUAL, 1.0)
    return warm_workers.rows(chosen.folder, min(chosen.rounds, 2), seconds)


MEASURES: Final[Mapping[str, Measure]] = {
    "array": array,
    "frame": frame,
    "forest": partial(moving, "forest"),
    "arrays": partial(moving, "arrays"),
    "small": small,
    "tree": partial(moving, "tree"),
    "changed": partial(moving, "changed"),
    "workers": workers,
}


def main() -> None:
    options = arguments()
    process.leave_nothing()
    with TemporaryDirectory(prefix="penstock-benchmarks-") as name:
        folder = Path(name)
        process.live_in(folder)
        facts = {**machine.described(folder), **libraries()}
        print(said(facts))
        print(f"files under {folder.parent}; time on the clock, median (quartiles)\n", flush=True)
        chosen = Choices(folder, options.size, options.rounds)
        rows, bars = measured(options.only or list(MEASURES), chosen)
    print(table.text(rows))
    data = {
        "machine": facts,
        "rows": [row.to_data() for row in rows],
        "bars": [bar.to_data() for bar in bars],
    }
    if options.json:
        write(options.json, data)
    if options.docs:
        write(FIGURES, data)
        readme.rewrite(DOCS / "speed.md", page(rows, facts))
        run_path(str(DOCS / "pictures" / "make.py"), run_name="__main__")


def measured(names: Sequence[str], chosen: Choices) -> tuple[list[Row], list[moved.Bar]]:
    rows: list[Row] = []
    bars: list[moved.Bar] = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        for found in MEASURES[name](chosen):
            if isinstance(found, Row):
                rows.append(found)
            else:
                bars.append(found)
    return rows, bars


def libraries() -> dict[str, str]:
    """Those whose speed is in the figures as well."""
    return {name: f"{name} {version(name)}" for name in LIBRARIES}


def said(facts: Mapping[str, str]) -> str:
    return "  ·  ".join(facts.values())


def page(rows: Sequence[Row], facts: Mapping[str, str]) -> str:
    """What docs/speed.md shows."""
    return f"{table.markdown(rows)}\n\n{said(facts)}. Time on the clock, median (quartiles)."


def write(file: Path, data: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How fast artifacts are kept and got back.")
    parser.add_argument("--size", type=int, default=USUAL, help="MB of the array; the rest grows")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs")
    parser.add_argument(
        "--only", action="append", choices=MEASURES, help="one measure; may be repeated"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--docs", action="store_true", help="write what docs/speed.md shows")
    return parser.parse_args()


if __name__ == "__main__":
    main()
