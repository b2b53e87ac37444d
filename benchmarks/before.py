"""The working tree beside another commit: what a change has cost, pair by pair.

    python benchmarks/before.py REVISION [--rounds N]

Figures are processor time; a ratio of 1.05 means five percent more than at REVISION. The commit is
unpacked under the folder for temporary files, and both sides run the same benchmarks, in turn.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import machine
import process
import table
from pairs import Cost, alternate
from process import HERE, fresh, script
from row import Row, each, timed

ROOT: Final = HERE.parent

Side = Callable[[Path], Cost]
Measure = Callable[[Path, Path], Cost]
"""From the code of penstock and an empty folder to what it took."""


def main() -> None:
    options = arguments()
    with TemporaryDirectory(prefix="penstock-benchmarks-") as name:
        folder = Path(name)
        process.live_in(folder)
        before = unpacked(options.revision, folder / "before")
        print("  ·  ".join(machine.described(folder).values()))
        print(table.text(rows(folder, before, options.revision, options.rounds)))


def rows(folder: Path, before: Path, revision: str, rounds: int) -> list[Row]:
    found = []
    for name, (measure, parts) in MEASURES.items():
        sides: Mapping[str, Side] = {
            "now": partial(measure, ROOT / "sdk"),
            "before": partial(measure, before),
        }
        for place in fresh(folder, 1):  # for what is compiled the first time
            alternate(sides, [place])
        now, then = taken(sides, fresh(folder, rounds))
        found.append(timed(name, each(now, parts), revision[:10], each(then, parts)))
    return found


def taken(sides: Mapping[str, Side], places: Iterable[Path]) -> list[list[Cost]]:
    """What each side took. Each is first in every other round: some disks are slow after much was
    deleted, which is the end of a round."""
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    for number, place in enumerate(places):
        for name in sorted(sides, reverse=number % 2 == 0):
            costs[name].append(sides[name](place))
    return [costs[name] for name in sides]


def unpacked(revision: str, folder: Path) -> Path:
    """The packages of another commit."""
    packed = subprocess.run(
        ["git", "archive", revision, "sdk"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "sdk"


def _hello(code: Path, place: Path) -> Cost:
    return _with(code, place, "two_steps.py").cost


def _pipeline(what: str, size: int, again: bool, code: Path, place: Path) -> Cost:
    """A run of one of `pipelines.py`; with `again` that of the same once more, from the cache."""
    finished = _with(code, place, "pipelines.py", what, size)
    if again:
        finished = _with(code, place, "pipelines.py", what, size, emptied=False)
    return finished.reported


def _with(
    code: Path, place: Path, name: str, *arguments: object, emptied: bool = True
) -> process.Finished:
    os.environ["PYTHONPATH"] = str(code)
    folder = place / code.parent.name
    if emptied:
        subprocess.run(["rm", "-rf", str(folder)], check=True)
    folder.mkdir(exist_ok=True)
    return script(name, folder, *arguments)


MEASURES: Final[Mapping[str, tuple[Measure, int]]] = {
    "hello, whole process": (_hello, 1),
    "second run(), computed": (partial(_pipeline, "second", 4, False), 1),
    "second run(), cached": (partial(_pipeline, "second", 4, True), 1),
    "chain of 1,000, per step": (partial(_pipeline, "chain", 1000, False), 1000),
    "chain of 1,000, cached, per step": (partial(_pipeline, "chain", 1000, True), 1000),
    "fan-out of 1,000, per step": (partial(_pipeline, "fan-out", 1000, False), 1001),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What a change has cost.")
    parser.add_argument("revision", help="a commit, for example HEAD~5")
    parser.add_argument("--rounds", type=int, default=9, help="pairs for each figure")
    return parser.parse_args()


if __name__ == "__main__":
    main()
