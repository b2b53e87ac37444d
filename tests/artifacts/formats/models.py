"""Classes that tests store, in a module that another process can import."""

from __future__ import annotations

import threading
from dataclasses import KW_ONLY, InitVar, dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import pydantic

T = TypeVar("T")


@dataclass
class Point:
    x: int
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Frozen:
    a: int
    b: tuple[int, ...] = ()


@dataclass
class Nested:
    name: str
    where: Point
    maybe: Point | None
    many: list[Point]
    named: dict[str, Point]
    pair: tuple[Point, int]
    row: tuple[Point, ...]
    deep: Annotated[list[dict[int, Frozen]], "note"]
    options: list[Point] | None = None
    plain: dict[Any, Any] = field(default_factory=dict)
    _: KW_ONLY
    last: bytes = b""


@dataclass
class Sub(Point):
    z: int = 0


@dataclass
class Holder:
    anything: Any


@dataclass
class Either:
    one: Point | Frozen


@dataclass
class Box(Generic[T]):
    item: T


@dataclass
class Counted:
    n: int

    made: ClassVar[int] = 0

    def __post_init__(self) -> None:
        self.n += 1
        Counted.made += 1


@dataclass
class WithInitVar:
    n: int
    base: InitVar[int] = 0


@dataclass
class Computed:
    n: int
    double: int = field(init=False, default=0)


@dataclass
class Cached:
    n: int

    @cached_property
    def square(self) -> int:
        return self.n**2


@dataclass
class Stateful:
    n: int

    def __getstate__(self) -> object:
        return {"n": 0}


@dataclass
class Listed(list[int]):
    n: int = 0


class Color(StrEnum):
    RED = "red"


class Settings(pydantic.BaseModel):
    lr: float = 0.1
    layers: list[int] = []
    inner: Settings | None = None


class Loose(pydantic.BaseModel):
    anything: Any = None
    number: float = pydantic.Field(default=0.0, alias="num")
    hidden: int = pydantic.Field(default=0, exclude=True)


class Growing(pydantic.BaseModel):
    n: int

    @pydantic.field_validator("n")
    @classmethod
    def more(cls, n: int) -> int:
        return n + 1


class Net:
    """Something plain pickle takes."""

    def __init__(self, **state: Any) -> None:
        vars(self).update(state)


class Cache:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.hits = 0


def half(n: int) -> float:
    return n / 2
