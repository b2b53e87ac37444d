"""Kinds of data: enumerations, records, errors, patterns."""

import enum
from abc import ABC
from collections import namedtuple
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

from penstock import step


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


Level = enum.IntEnum("Level", "LOW HIGH")


def fresh() -> list[int]:
    return [1]


@dataclass(order=True)
class Setting:
    rate: float = 0.5
    items: list[int] = field(default_factory=fresh)


class Place(NamedTuple):
    x: int = 1
    y: int = 2


Size = namedtuple("Size", "width height", defaults=[4])


class Row(TypedDict):
    name: str


class Point:
    __match_args__ = ("x", "y")

    def __init__(self) -> None:
        self.x = 1
        self.y = 2


class Trouble(Exception):
    pass


class Failing(Trouble):
    pass


class Shape(ABC):  # noqa: B024
    pass


class Square:
    pass


Shape.register(Square)


@step
def colours() -> str:
    return Colour.RED.value


@step
def levelled() -> int:
    return int(Level.HIGH)


@step
def sets() -> list[float]:
    return [Setting().rate, *Setting().items]


@step
def places() -> list[int]:
    return list(Place())


@step
def sizes() -> list[int]:
    return list(Size(1))


@step
def rows() -> str:
    row: Row = {"name": "one"}
    return row["name"]


@step
def matches() -> int:
    match Point():
        case Point(first):
            return int(first)
    return 0


@step
def catches() -> str:
    try:
        raise Failing
    except Trouble:
        return "trouble"
    except Exception:
        return "other"


@step
def virtual() -> bool:
    return isinstance(Square(), Shape)
