"""Data that steps name: plain, and not so plain."""

import contextvars
import datetime
import decimal
import json
import os
import re
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

from penstock import File, step

NESTED = {"a": {"b": [1, 2]}, "c": (1, 2)}
WORDS = {"one", "two", "three"}
ZERO = 0.0
FLAG = True
NUMBER = 1
PATTERN = re.compile("[a-z]+")
PRICE = decimal.Decimal("1.10")
DAY = datetime.date(2026, 1, 2)
PLACE = Path("data") / "one"
RAW = b"raw"
SPAN = range(1, 5)
FROZEN = MappingProxyType({"a": 1})
SPACE = SimpleNamespace(depth=1)
DEPTH = contextvars.ContextVar("depth", default=2)
ZONE = os.environ.get("SHOP_RATE", "1")
FOUND = json.loads(Path(__file__).with_name("found.json").read_text())
GIVEN = File(str(Path(__file__).parent.parent / "given.txt"))

if os.environ.get("SHOP_FAST"):

    def chosen(value: int) -> int:
        return value + 1

else:

    def chosen(value: int) -> int:
        return value + 2


@step
def digs() -> int:
    return NESTED["a"]["b"][0]  # type: ignore[index]


@step
def spells() -> list[str]:
    return sorted(WORDS)


@step
def zeroes() -> str:
    return str(ZERO)


@step
def flags() -> str:
    return str(FLAG) + str(NUMBER)


@step
def finds() -> list[str]:
    return PATTERN.findall("ab CD ef")


@step
def pays() -> str:
    return str(PRICE * 2)


@step
def dates() -> str:
    return DAY.isoformat()


@step
def points() -> str:
    return PLACE.name


@step
def decodes() -> str:
    return RAW.decode()


@step
def spans() -> int:
    return sum(SPAN)


@step
def proxies() -> int:
    return FROZEN["a"]


@step
def spaces() -> int:
    return SPACE.depth


@step
def varies() -> int:
    return DEPTH.get()


@step
def of_the_environment() -> str:
    return ZONE


@step
def of_a_file() -> int:
    return FOUND["amount"]


@step
def by_reference() -> str:
    with GIVEN.open("r") as file:
        return file.read()


@step
def chooses() -> int:
    return chosen(1)
