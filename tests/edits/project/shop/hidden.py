"""Steps that read what lies in other places than names of modules."""

import dataclasses
import functools
import string
import threading
from types import SimpleNamespace
from typing import Any

from penstock import step
from shop.hiding import Model, __release__

__version__ = "1"

Model.__settings__ = SimpleNamespace(rate=1)
LOCAL = threading.local()
LOCAL.rate = 1
Made: Any = dataclasses.make_dataclass("Made", [("size", int, 3)])


class Rows(list[int]):
    pass


class Slotted:
    __slots__ = ("__dict__", "rate")

    def __init__(self, rate: int) -> None:
        self.rate = rate


def wrapped() -> None:
    """What the two look like."""


ROWS: Any = functools.update_wrapper(Rows([1]), wrapped)  # type: ignore[arg-type]
SLOTTED: Any = functools.update_wrapper(Slotted(1), wrapped)  # type: ignore[arg-type]


@step
def versioned() -> str:
    return __version__


@step
def released() -> int:
    return int(__release__)


@step
def registered() -> int:
    return Model.__registry__["added"](1)


@step
def settled() -> int:
    return int(Model.__settings__.rate)


@step
def local() -> int:
    return int(LOCAL is not None)  # what is in it depends on the thread


@step
def made() -> int:
    return int(Made().size)


@step
def listed() -> list[int]:
    return list(ROWS)


@step
def slotted() -> int:
    return int(SLOTTED.rate)


@step
def shouts() -> str:
    template: Any = string.Template("a")
    return str(template.shout())
