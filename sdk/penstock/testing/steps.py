"""The steps of the suites. They lie in a module, so that any process can import them.

What a step did is in the folder that it is given: a file for each time that it ran.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from penstock.model.step import step

NEVER_SEEN = "PENSTOCK_TESTING_SECRET"
"""A variable whose value a step looks for."""


class Parts(NamedTuple):
    low: list[int]
    high: str


@step
def work(folder: str, name: str, needs: Sequence[str], inputs: Sequence[int]) -> int:
    """Its inputs, and one for itself; notes which of those that it needs were not done yet."""
    note(folder, name, [need for need in needs if not times(folder, need)])
    return sum(inputs) + 1


@step
def fail(folder: str, name: str) -> int:
    note(folder, name, [])
    raise ValueError(f"no {name}")


@step
def fail_at_first(folder: str, name: str, failures: int) -> int:
    """Fails as often as it is told, and then gives the number of the attempt."""
    note(folder, name, [])
    number = times(folder, name)
    print(f"attempt {number}")  # noqa: T201 - that is what it is for
    if number <= failures:
        raise OSError(f"not yet, {number} of {failures}")
    return number


@step
def interrupt(folder: str, name: str) -> int:
    note(folder, name, [])
    raise KeyboardInterrupt


@step
def vanish(folder: str, name: str) -> int:
    """Ends its process as a crash does."""
    note(folder, name, [])
    os._exit(3)


@step
def talk(words: str) -> str:
    print(f"said {words}")  # noqa: T201 - that is what it is for
    print(f"complained {words}", file=sys.stderr)  # noqa: T201 - that is what it is for
    logging.getLogger("penstock.testing.steps").warning("logged %s", words)
    return words


@step
def items(count: int) -> list[int]:
    return list(range(count))


@step
def square(item: int) -> int:
    return item * item


@step
def visit(item: int, folder: str) -> int:
    """The square of an item that is not negative; notes that it was there."""
    note(folder, f"item {item}", [])
    if item < 0:
        raise ValueError(f"{item} is negative")
    return item * item


@step
def is_large(count: int) -> bool:
    return count > 10


@step
def given(value: int | None) -> str:
    return f"given {value}"


@step
def spoil(values: list[int]) -> int:
    """Changes what it was given, which is allowed and must reach nobody else."""
    values.append(1000)
    return len(values)


@step
def total(values: Sequence[int]) -> int:
    return sum(values)


@step
def split(count: int) -> Parts:
    return Parts(list(range(count)), "x" * count)


@step
def large(size: int) -> bytes:
    return bytes(range(256)) * (size // 256)


@step
def hand_on(value: Any) -> Any:
    return value


@step
def process() -> int:
    return os.getpid()


@step(cache=False, secrets=[NEVER_SEEN])
def reveal() -> str:
    """A secret, the wrong way round, since what is printed or kept as it is would be masked."""
    return os.environ[NEVER_SEEN][::-1]


def note(folder: str, name: str, missing: Sequence[str]) -> None:
    """Leave a file that says that a step ran."""
    file = Path(folder, f"{name}~{time.monotonic_ns()}-{os.getpid()}-{os.urandom(4).hex()}")
    file.write_text(json.dumps(list(missing)), "utf-8")


def times(folder: str, name: str) -> int:
    """How often a step ran."""
    return sum(1 for file in os.listdir(folder) if file.partition("~")[0] == name)


def too_early(folder: str) -> dict[str, list[str]]:
    """What ran before what it needs, and which those are."""
    found = {}
    for file in sorted(Path(folder).iterdir()):
        if missing := json.loads(file.read_text("utf-8")):
            found[file.name.partition("~")[0]] = missing
    return found
