"""Pipelines to interrupt. Each step says in a file, outside of the store, that it was at work."""

from __future__ import annotations

from typing import Any

from crashing import mark

from penstock import context, pipeline, step


def at_work() -> None:
    mark(context().step or "outside")


@step
def small(number: int) -> int:
    at_work()
    return number + 1


@step
def text(number: int) -> str:
    at_work()
    return f"{number} " * 700


@step
def join(parts: list[str]) -> tuple[int, bytes]:
    at_work()
    return len(parts), "".join(parts).encode()


@step
def told(number: int) -> str:
    """One that leaves a log."""
    at_work()
    print("at work on", number)
    return str(number)


@step
def large(number: int) -> bytes:
    """More than a store reads at once: it is hashed while it is written."""
    at_work()
    return bytes([number]) * (3 << 20)


@step
def parts(number: int) -> dict[str, bytes]:
    """A value of several objects."""
    at_work()
    return {name: name.encode() * (1 << 20) for name in ("a", "b", str(number))}


@step
def lengths(data: bytes, several: dict[str, bytes]) -> list[int]:
    at_work()
    return [len(data), *map(len, several.values())]


@step(cache=False)
def fresh(number: int) -> str:
    at_work()
    return f"{number} " * 900


@pipeline(progress=False)
def chain() -> str:
    """Values in records, values in objects of their own, and what a step prints."""
    return told(small(small(small(0))))


@pipeline(progress=False)
def fan() -> Any:
    """Side by side, and together again."""
    begin = small(0)
    return join([text(begin) for _ in range(1)] + [text(small(n)) for n in range(3)])


@pipeline(progress=False)
def heavy() -> Any:
    """Large outputs, and one of several objects."""
    return lengths(large(1), parts(2))


@pipeline(progress=False)
def uncached() -> Any:
    """Steps that no cache remembers, between others."""
    first = fresh(small(0))
    return join([first, text(1), fresh(5)])


@step
def several(number: int) -> list[int]:
    at_work()
    return list(range(number))


@pipeline(progress=False)
def mapped() -> Any:
    """Over a list that is known only when the run has made it."""
    return join(text.map(several(3)))


PIPELINES = {each.name: each for each in (chain, fan, heavy, uncached, mapped)}
