"""Pipelines to compile."""

from __future__ import annotations

from typing import NamedTuple

from penstock import Resources, Retry, pipeline, step


@step
def load() -> int:
    return 1


@step
def double(number: int) -> int:
    return 2 * number


@step
def both(left: int, right: int) -> int:
    return left + right


@step
def total(numbers: list[int]) -> int:
    return sum(numbers)


@step
def several() -> list[int]:
    return [1, 2, 3]


class Checked(NamedTuple):
    fine: bool
    number: int


@step
def checked(number: int) -> Checked:
    return Checked(True, number)


@step(
    retries=Retry(times=3, delay=10, factor=2, longest=100),
    timeout=600,
    resources=Resources(cpu=0.5, memory="4Gi", gpu=1),
)
def heavy(number: int) -> int:
    return number


@pipeline
def hello() -> int:
    return double(load())


@pipeline
def chain(length: int = 10) -> int:
    number = load()
    for _ in range(length - 1):
        number = double(number)
    return number


@pipeline
def spread(width: int = 10) -> int:
    """A static map, and what needs all of it."""
    return total(double.map(list(range(width))))


@pipeline
def known_later() -> int:
    """A map over a list that is known at run time."""
    return total(double.map(several()))


@pipeline
def wide(width: int = 10) -> int:
    """One step, many that need it, and one that needs these."""
    number = load()
    return total([double(number) for _ in range(width)])


@pipeline
def apart(chains: int = 3, length: int = 5) -> list[int]:
    """Chains that have nothing to do with each other."""
    found = []
    for _ in range(chains):
        number = load()
        for _ in range(length - 1):
            number = double(number)
        found.append(number)
    return found


@pipeline
def hard() -> int:
    """A step with retries, a timeout and resources."""
    return heavy(load())
