"""The benchmarks: what penstock costs, each figure beside a baseline from the same minutes.

    python benchmarks/run.py [--quick] [--only NAME] [--json FILE] [--readme]

Figures are processor time (user and system), which a busy machine disturbs less than the clock on
the wall; that one is in the JSON. Medians, with quartiles in brackets. Ratios are taken pair by
pair, because machines flip between full and half speed: see `pairs.py`. All files are written under
the folder for temporary files. Some disks take ten times as long for a file from one minute to the
next; TMPDIR=/dev/shm leaves the disk out, and what remains is penstock's own.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import chain
import cli
import compiling
import dynamic_map
import fan_out
import first_run
import frames
import imports
import machine
import pictures
import prints
import process
import readme
import second_run
import table
from row import Row

README = Path(__file__).parents[1] / "README.md"

Measure = Callable[[Path], Iterator[Row]]

FULL: Mapping[str, Measure] = {
    "import": partial(imports.rows, rounds=15),
    "first-run": partial(first_run.rows, rounds=11),
    "second-run": partial(second_run.rows, rounds=11),
    "chain": partial(chain.rows, rounds=7, lengths=(100, 1000)),
    "fan-out": partial(fan_out.rows, rounds=5, narrow=1000, wide=10_000),
    "dynamic-map": partial(dynamic_map.rows, rounds=3, width=10_000),
    "prints": partial(prints.rows, rounds=7, lines=1_000_000),
    "frames": frames.rows,
    "picture": partial(pictures.rows, rounds=11, steps=500),
    "command-line": partial(cli.rows, rounds=9),
    "kubeflow": partial(compiling.rows, rounds=3, lengths=(100, 300, 1000)),
}
QUICK: Mapping[str, Measure] = {
    "import": partial(imports.rows, rounds=1),
    "first-run": partial(first_run.rows, rounds=1),
    "second-run": partial(second_run.rows, rounds=1),
    "chain": partial(chain.rows, rounds=1, lengths=(5, 10)),
    "fan-out": partial(fan_out.rows, rounds=1, narrow=5, wide=20),
    "dynamic-map": partial(dynamic_map.rows, rounds=1, width=20),
    "prints": partial(prints.rows, rounds=1, lines=1000),
    "frames": frames.rows,
    "picture": partial(pictures.rows, rounds=1, steps=20),
    "command-line": partial(cli.rows, rounds=1),
    "kubeflow": partial(compiling.rows, rounds=1, lengths=(5,)),
}
"""To see that everything works; the figures mean nothing."""

SHOWN = (
    "import",
    "hello, whole process",
    "chain of 1,000, per step",
    "chain of 1,000, cached, per step",
)
"""What the README has room for."""


def main() -> None:
    options = arguments()
    measures = QUICK if options.quick else FULL
    rows: list[Row] = []
    with TemporaryDirectory(prefix="penstock-benchmarks-") as name:
        folder = Path(name)
        process.live_in(folder)
        facts = machine.described(folder)
        print("  ·  ".join(facts.values()))
        print(f"files under {folder.parent}; processor time, median (quartiles)\n", flush=True)
        for only in options.only or measures:
            print(f"measuring {only} ...", file=sys.stderr, flush=True)
            rows += measures[only](folder)
    print(table.text(rows))
    if options.json:
        data = {"machine": facts, "rows": [row.to_data() for row in rows]}
        options.json.write_text(json.dumps(data, indent=1) + "\n")
    if options.readme:
        readme.rewrite(README, block(rows, facts))


def block(rows: list[Row], facts: Mapping[str, str]) -> str:
    """What the README shows."""
    said = "  ·  ".join(facts.values())
    shown = table.markdown([row for row in rows if row.name in SHOWN])
    return f"{shown}\n\n{said}. Processor time, median (quartiles); all rows: `make bench`."


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What penstock costs, beside bare Python.")
    parser.add_argument("--quick", action="store_true", help="small and once, to see that it works")
    parser.add_argument(
        "--only", action="append", choices=FULL, help="one measure; may be repeated"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
