"""When compression pays: what `compression: zstd` of a store costs, and what it saves.

    python benchmarks/compression.py [--size MB] [--rounds N] [--only NAME] [--json FILE]

Each value is written and read with and without it, in turn, on the local disk. Both hash all of it
when they read: that is how it comes from a shared store. Time on the clock, medians, with quartiles
in brackets.

It pays where the time that it takes is less than what the link to the store takes for the bytes
that it saves. So "pays below" is a speed of the link: the bytes saved, by the seconds lost, for one
writing and one reading together. The link is thought to do nothing while we compress.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import machine
import process
import table
from clock import took
from compressible import VALUES
from pairs import Cost, Spread, alternate, ratios
from things import Thing

from penstock import LocalArtifactStore
from penstock.artifacts.hashed import Hashed
from penstock.artifacts.values import Trust, Values
from penstock.model.records import Artifact
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.scratch import until_exit

Setting = Literal["none", "zstd"]

SETTINGS: Final[Sequence[Setting]] = ("none", "zstd")

HEAD: Final = ("value", "MB", "stored", "written", "read", "pays below")
RIGHT: Final = frozenset(HEAD[1:])


@dataclass(frozen=True, slots=True)
class Trip:
    """One writing and one reading of a value."""

    write: Cost
    read: Cost
    size: int
    """Bytes of the objects that were written."""

    @property
    def wall(self) -> float:
        """Seconds of both."""
        return self.write.wall + self.read.wall


@dataclass(frozen=True, slots=True)
class Verdict:
    """What compression does to a value, beside none."""

    name: str
    plain: Sequence[Trip]
    packed: Sequence[Trip]

    @property
    def stored(self) -> float:
        """What is left of its size."""
        return self.packed[0].size / self.plain[0].size

    @property
    def write(self) -> Spread:
        """How many times as long it takes to write."""
        packed, plain = ([trip.write for trip in side] for side in (self.packed, self.plain))
        return Spread.of(ratios(packed, plain, "wall"))

    @property
    def read(self) -> Spread:
        """How many times as long it takes to read."""
        packed, plain = ([trip.read for trip in side] for side in (self.packed, self.plain))
        return Spread.of(ratios(packed, plain, "wall"))

    @property
    def lost(self) -> float:
        """Seconds that both take longer; taken in pairs."""
        pairs = zip(self.packed, self.plain, strict=True)
        return median(packed.wall - plain.wall for packed, plain in pairs)

    @property
    def saved(self) -> int:
        """Bytes that need not travel, there and back."""
        return 2 * (self.plain[0].size - self.packed[0].size)

    @property
    def link(self) -> float | None:
        """Bytes a second below which it pays: 0 if never, None if always."""
        if self.saved <= 0:
            return 0
        return self.saved / self.lost if self.lost > 0 else None

    def cells(self) -> tuple[str, ...]:
        """What the table says, in the order of `HEAD`."""
        return (
            self.name,
            table.figure(self.plain[0].size / 1e6),
            f"{self.stored:.1%}",
            f"{table.spread(self.write)} ×",
            f"{table.spread(self.read)} ×",
            _speed(self.link),
        )

    def to_data(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "value": self.name,
            "bytes": self.plain[0].size,
            "stored_bytes": self.packed[0].size,
            "write_seconds": [trip.write.wall for trip in self.packed],
            "write_seconds_uncompressed": [trip.write.wall for trip in self.plain],
            "read_seconds": [trip.read.wall for trip in self.packed],
            "read_seconds_uncompressed": [trip.read.wall for trip in self.plain],
            "always_pays": self.link is None,
            "pays_below_bytes_per_second": self.link,
        }


def _speed(link: float | None) -> str:
    if link is None:
        return "always"
    return f"{link / 1e6:,.0f} MB/s" if link else "never"


def judged(name: str, size: int, rounds: int, folder: Path) -> Verdict:
    """Write and read a value in turn with and without; the first round is to get warm."""
    thing = VALUES[name](size)
    sides: dict[str, Callable[[Path], Trip]]
    sides = {setting: partial(trip, thing, setting) for setting in SETTINGS}
    trips = alternate(sides, process.fresh(folder, rounds + 1))
    plain, packed = (trips[setting][1:] for setting in SETTINGS)
    return Verdict(name, plain, packed)


def trip(thing: Thing, setting: Setting, place: Path) -> Trip:
    """There and back, in a store of its own that nobody has seen anything of."""
    folder = place / setting
    store = LocalArtifactStore(path=str(folder), compression=setting, verify="always")
    values = Values(store, Fingerprints().of_names, Hashed(None))
    kept: list[Artifact] = []
    found: list[Any] = []

    def write() -> None:
        kept.append(values.save(thing.value, None, "A value"))

    def read() -> None:
        found.append(values.load(kept[0], None, "A value", until_exit, Trust(given=True)))

    gc.collect()
    written, loaded = took(write), took(read)
    if not thing.same(thing.value, found[0]):
        raise ValueError(f"{setting}: what came back is not what was kept.")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Trip(_cost(written), _cost(loaded), size)


def _cost(taken: Mapping[str, float]) -> Cost:
    return Cost(taken["cpu"], taken["wall"])


def main() -> None:
    options = arguments()
    with TemporaryDirectory(prefix="penstock-benchmarks-") as name:
        folder = Path(name)
        process.live_in(folder)
        facts = {**machine.described(folder), "zstandard": f"zstandard {version('zstandard')}"}
        print("  ·  ".join(facts.values()))
        print(f"files under {folder.parent}; time on the clock, median (quartiles)\n", flush=True)
        verdicts = []
        for only in options.only or VALUES:
            print(f"measuring {only} ...", file=sys.stderr, flush=True)
            verdicts.append(judged(only, options.size, options.rounds, folder))
    print(table.columns(HEAD, [verdict.cells() for verdict in verdicts], RIGHT))
    if options.json:
        data = {"machine": facts, "values": [verdict.to_data() for verdict in verdicts]}
        options.json.write_text(json.dumps(data, indent=1) + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="When the compression of a store pays.")
    parser.add_argument("--size", type=int, default=64, help="MB of each value")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs")
    parser.add_argument(
        "--only", action="append", choices=VALUES, help="one value; may be repeated"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
