"""Functions, modules and constants by name, in all the ways in which they are named."""

from collections.abc import Coroutine, Iterator
from math import floor as rounder
from typing import Any

import shop.settings
from penstock import step
from shop import features, settings, shifted
from shop.features import scale as scaled
from shop.settings import RATE
from shop.stars import *  # noqa: F403

from . import features as relative  # noqa: TID252

try:
    from shop.fast import summed
except ImportError:
    from shop.slow import summed


def nearby(value: int) -> int:
    """Adds one."""
    return value + 1


def unrelated() -> int:
    """No step needs it."""
    return 1


def even(n: int) -> bool:
    return n == 0 or odd(n - 1)


def odd(n: int) -> bool:
    return n != 0 and even(n - 1)


def measured(value: float, rate: float = settings.RATE, *, base: int = 0) -> float:
    return value * rate + base


def counted(n: int) -> Iterator[int]:
    yield from range(n)


async def waited(value: int) -> int:
    return value + 1


def told() -> str:
    """What is told."""
    return "told"


def driven(work: Coroutine[Any, Any, int]) -> int:
    try:
        work.send(None)
    except StopIteration as done:
        return int(done.value)
    raise RuntimeError


@step
def same_file() -> int:
    """Uses a helper of this file."""
    # one and one
    return nearby(1)


@step
def other_file() -> float:
    return scaled(1)


@step
def by_module() -> float:
    return features.lifted(1)


@step
def by_relative() -> float:
    return relative.lifted(2)


@step
def by_chain() -> Any:
    return shop.settings.CHAINED["rate"]


@step
def by_name() -> float:
    return RATE


@step
def reexported() -> float:
    return shifted(1)


@step
def starred() -> int:
    return star(1)  # type: ignore[name-defined]  # noqa: F405


@step
def either() -> int:
    return summed([1, 2])


@step
def defaults() -> float:
    return measured(2)


@step
def mutual() -> bool:
    return even(5)


@step
def of_library() -> int:
    return rounder(1.5)


@step
def of_python() -> int:
    return pow(2, 3)


@step
def imports_late() -> int:
    from shop.later import late

    return late(1)


@step
def generates() -> list[int]:
    return [value + 1 for value in counted(3)]


@step
def awaits() -> int:
    return driven(waited(1))


@step
def nests() -> list[int]:
    def inner(value: int) -> int:
        return sum(nearby(each) for each in (value,))

    return [inner(1)]


@step
def calls_a_step() -> float:
    return by_name() + 1


@step
def formats() -> str:
    value = 1
    return f"{value:.2f} pieces {value=}"


@step
def reads_docs() -> str | None:
    return told.__doc__


@step
def debugs() -> bool:
    return __debug__


@step(cache_env=["SHOP_ZONE"])
def zoned() -> str:
    import os

    return os.environ.get("SHOP_ZONE", "")


@step
def renames() -> int:
    first = 1
    return first + 1
