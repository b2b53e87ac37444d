"""Pipelines whose server dies while a step sleeps: `dying_steps.py PIPELINE [run]`.

They are run by Python, or by the command line.
"""

import sys
import time
from pathlib import Path

from penstock import pipeline, step


@step
def made(number: int) -> list[int]:
    return [number] * 2000  # too much for a record


@step(cache=False)
def asleep(before: list[int]) -> list[int]:
    print("said")
    Path("sleeps").touch()
    while not Path("awake").exists():
        time.sleep(0.01)
    return before


@step
def more(before: list[int]) -> int:
    return sum(before)


@pipeline
def chain() -> int:
    return more(asleep(made(1)))


@pipeline
def branches() -> list[int]:
    return [more(asleep(made(number))) for number in range(4)]


if __name__ == "__main__":
    name, *words = sys.argv[1:]
    sys.argv[1:] = []
    if words:
        globals()[name].cli()
    else:
        globals()[name].run()
