"""A child of `s3.py`: one way to a bucket, which waits to be told what to do.

    python bucket.py WAY URL MIB SMALL

Each line that comes in is a phase; what goes out is what it took, and the most memory that there
was beside the value. Before the first, everything is done once with little, so that all is imported
and connections are made. Every object that comes back is compared with what was written, once.
"""

from __future__ import annotations

import gc
import json
import sys
from importlib.metadata import version
from random import Random
from typing import Final

import resident
from bucket_ways import WAYS, Way
from clock import took

FEW: Final = 40
"""MiB, and objects."""


def prepared(way: Way, number: int) -> None:
    """Other bytes each time: what is there already would not be sent again."""
    way.large[:8] = number.to_bytes(8, "big")
    way.ready()


def phase(way: Way, name: str, *, check: bool) -> dict[str, float]:
    found: list[object] = []
    before = resident.anonymous()
    with resident.peak() as most:
        cost = took(lambda: found.append(getattr(way, name)()))
    if name == "read" and check and memoryview(found[0]).cast("B") != way.large:  # type: ignore[arg-type]
        raise SystemExit(f"{way.name}: what came back is wrong")
    found.clear()
    gc.collect()
    return {**cost, "beside": max(most.bytes - before, 0)}


def warmed(way: Way) -> list[str]:
    """The phases that work: what a server answers, not every library takes."""
    way.hold(bytearray(Random(1).randbytes(1 << 20)) * FEW, FEW)
    way.ready()
    return [name for name in way.phases if works(way, name)]


def works(way: Way, name: str) -> bool:
    try:
        getattr(way, name)()
    except Exception as error:  # of any library
        said = str(error).partition("\n")[0]
        print(f"left out: {way.name}, {name}: {said}", file=sys.stderr)
        return False
    return True


def main(name: str, url: str, mib: int, small: int) -> None:
    way = WAYS[name](url)
    phases = warmed(way)
    way.hold(bytearray(Random(0).randbytes(1 << 20) * mib), small)
    print(json.dumps({"version": version(way.package), "phases": phases}), flush=True)
    for number, line in enumerate(sys.stdin):
        if line.strip() == "write":
            prepared(way, number)
        print(json.dumps(phase(way, line.strip(), check=number < len(phases))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
