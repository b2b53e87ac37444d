"""A child of `memory.py`: what keeping and loading a thing takes of memory, in bytes.

python footprint.py array penstock 512
python footprint.py column penstock 512
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import Final

import resident
from moving import KINDS
from ways import Way

WARM: Final = 2
"""MB of what is done before, so that all is imported."""


def beyond(way: Way) -> int:
    """The most anonymous memory that was there beside the value, from writing to reading."""
    before = resident.anonymous()
    with resident.peak() as most:
        way.write()
        found = way.read()
    del found
    return max(most.bytes - before, 0)


def column(way: Way, name: str) -> int:
    """The memory that was touched to load a frame and read all of one column."""
    way.write()
    way.read()[name].to_numpy().sum()  # what is imported, and set up, for the first time
    gc.collect()
    before = resident.touched()
    found = way.read()
    found[name].to_numpy().sum()  # the sum of pandas has a mask of its own
    return max(resident.touched() - before, 0)


def main(what: str, by: str, size: int) -> None:
    make, kinds = KINDS["frame" if what == "column" else what]
    (kind,) = (kind for kind in kinds if kind.name == by)

    def measured(size: int, folder: Path) -> int:
        folder.mkdir()
        way = kind(make(size).value, folder)
        return column(way, "price") if what == "column" else beyond(way)

    measured(WARM, Path("warm"))
    print(json.dumps(measured(size, Path("really"))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
