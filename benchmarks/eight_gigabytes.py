"""A large array under a limit that a copy would break: written by one step, read by another.

    python benchmarks/eight_gigabytes.py [--size MIB]

The process that runs the pipeline gets as many addresses (RLIMIT_AS) as it has, the array needs,
and an eighth of that. Then the same once more with a format that copies, which must break. The
files are under the folder for temporary files, and gone at the end, however that comes.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

import process
import resident
from process import Failed, fresh, script

from penstock.quantities import size as spoken

USUAL: Final = 8 << 10
"""MiB."""
SPARE: Final = 1 << 30
"""Bytes that disk and memory must have beside the array."""


def main() -> None:
    size = arguments().size << 20
    allowance = size // 8
    process.leave_nothing()
    if (free := shutil.disk_usage(gettempdir()).free) < size + SPARE:
        raise SystemExit(f"{gettempdir()} has {spoken(free)} free: set TMPDIR to a larger place.")
    if (free := resident.available()) < size + SPARE:
        raise SystemExit(f"This machine has {spoken(free)} of memory free: give a smaller --size.")
    with TemporaryDirectory(prefix="penstock-large-") as name:
        folder = Path(name)
        process.live_in(folder)
        print(f"{spoken(size)}, and {spoken(allowance)} of addresses beside it", flush=True)
        print(f"penstock: {kept(folder, size, allowance)}", flush=True)
        print(f"a format that copies: {broken(folder, size, allowance)}")


def kept(folder: Path, size: int, allowance: int) -> str:
    """What came back, which must be right."""
    (done,) = [script("large_array.py", place, size, allowance) for place in fresh(folder, 1)]
    said = json.loads(done.out)
    count = size // 8
    if said["found"] != [0.0, float(count // 2), float(count - 1)]:
        raise SystemExit(f"penstock: what came back is wrong: {said['found']}")
    return f"written, read and right, in {said['seconds']:.1f} s"


def broken(folder: Path, size: int, allowance: int) -> str:
    """How a format that copies ends, which must be without memory."""
    try:
        for place in fresh(folder, 1):
            script("large_array.py", place, size, allowance, "copying")
    except Failed as error:
        if "MemoryError" in str(error):
            return "MemoryError, as it must be"
        raise
    raise SystemExit("A format that copies came through: the limit limits nothing.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A large array under a limit.")
    parser.add_argument("--size", type=int, default=USUAL, metavar="MIB", help="of the array")
    return parser.parse_args()


if __name__ == "__main__":
    main()
