"""What the children of our side run: pipelines of steps that do next to nothing.

    python pipelines.py chain 1000

The first run of a process loads most of penstock, and the first in a folder makes the store, so
each command begins with a run of two steps that is not counted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from clock import took
from two_steps import hello

from penstock import Run, pipeline, step


@step
def zero() -> int:
    return 0


@step
def following(number: int) -> int:
    return number + 1  # a step with the input of another one would be a hit


@step
def same(number: int) -> int:
    return number


@step
def numbers(count: int, changed: int) -> list[int]:
    found = list(range(count))
    found[count // 2] -= changed
    return found


@step
def joined(numbers: list[int]) -> int:
    return len(numbers)


@step
def kilobyte(number: int) -> bytes:
    return number.to_bytes(4, "big") * 256


@step
def sizes(values: list[bytes]) -> int:
    return sum(map(len, values))


@step
def frames() -> list[str]:
    """The files of the functions that led here, the caller's first."""
    files = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        files.append(frame.f_code.co_filename)
        frame = frame.f_back
    return files


@pipeline
def chain(length: int) -> int:
    number = zero()
    for _ in range(length - 1):
        number = following(number)
    return number


@pipeline
def fan_out(width: int) -> int:
    return joined(same.map(list(range(width))))


@pipeline
def small_values(count: int) -> int:
    return sizes(kilobyte.map(list(range(count))))


@pipeline
def dynamic(width: int, changed: int = 0) -> int:
    return joined(same.map(numbers(width, changed)))


@pipeline
def one() -> list[str]:
    return frames()


def main(what: str, size: int) -> None:
    hello.run()
    runs: dict[str, Callable[[], Run[Any]]] = {
        "second": lambda: hello.run(size),
        "chain": lambda: chain.run(size),
        "fan-out": lambda: fan_out.run(size),
        "map": lambda: dynamic.run(size),
        "map-changed": lambda: dynamic.run(size, changed=size),
        "small-values": lambda: small_values.run(size),
    }
    before = files()
    cost = took(runs[what])
    print(json.dumps({**cost, "files": files() - before}))


def files() -> int:
    """How many files there are in the store."""
    return sum(len(names) for _, _, names in os.walk(".penstock"))


if __name__ == "__main__":
    if sys.argv[1] == "frames":
        print(*one.run().result(), sep="\n")
    else:
        main(sys.argv[1], int(sys.argv[2]))
