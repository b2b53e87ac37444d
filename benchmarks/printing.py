"""What the children of `prints.py` run.

    python printing.py step 1000000

Standard output is a file there, as it is for the plain loop.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from clock import took

from penstock import pipeline, step


@step(cache=False)
def talk(lines: int) -> None:
    for number in range(lines):
        print(f"line {number}")


@pipeline(progress=False)
def talking(lines: int) -> None:
    talk(lines)


def in_a_file(lines: int) -> None:
    with Path("lines.txt").open("w") as file:
        for number in range(lines):
            print(f"line {number}", file=file)


if __name__ == "__main__":
    side, lines = sys.argv[1], int(sys.argv[2])
    talking.run(1)  # the first run of a process loads most of penstock
    cost = took(lambda: talking.run(lines) if side == "step" else in_a_file(lines))
    print(json.dumps(cost))
