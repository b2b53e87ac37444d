"""Classes, and all that makes them do what they do."""

from functools import cached_property
from typing import Any

from penstock import step
from shop.bases import Announced, Base, Doubling, Meta, Mixin, margin, titled


class Priced(Base):
    pass


class Greeting(Mixin, Base):
    def greeting(self) -> str:
        return super().greeting() + "!"


class Marked(metaclass=Meta):
    mark = 0


class Child(Announced):
    pass


class Sized:
    size = 3
    double = Doubling()

    @property
    def half(self) -> float:
        return self.size / 2

    @cached_property
    def third(self) -> float:
        return self.size / 3 + margin()

    @classmethod
    def made(cls) -> "Sized":
        return cls()

    @staticmethod
    def unit() -> str:
        return "cm"


class Money:
    def __init__(self, amount: int) -> None:
        self.amount = amount

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + other.amount)


@titled
class Box:
    class Lid:
        colour = "red"


class Adder:
    def __init__(self, amount: int) -> None:
        self.amount = amount

    def __call__(self, value: int) -> int:
        return value + self.amount


class Events:
    def on_start(self) -> str:
        return "started"

    def said(self, kind: str) -> str:
        return str(getattr(self, f"on_{kind}")())


class Late:
    pass


def shape(self: Any) -> str:
    return "round"


Late.level = 7  # type: ignore[attr-defined]
Shaped: Any = type("Shaped", (), {"shape": shape})
adds = Adder(4)
prices = Priced().priced
EVENTS = Events()


@step
def inherits() -> int:
    return Priced().priced(2)


@step
def mixes() -> str:
    return Greeting().greeting()


@step
def marks() -> int:
    return int(Marked().mark)


@step
def announces() -> str:
    return Child.title


@step
def halves() -> float:
    return Sized().half


@step
def thirds() -> float:
    return Sized.made().third


@step
def units() -> str:
    return Sized.unit()


@step
def doubles() -> int:
    return Sized().double


@step
def adds_up() -> int:
    return (Money(1) + Money(2)).amount


@step
def labels() -> str:
    return str(Box.label) + Box.Lid.colour  # type: ignore[attr-defined]


@step
def calls_an_object() -> int:
    return adds(1)


@step
def calls_a_bound_method() -> int:
    return prices(1)


@step
def says() -> str:
    return EVENTS.said("start")


@step
def levels() -> int:
    return int(Late.level)  # type: ignore[attr-defined]


@step
def shapes() -> str:
    return str(Shaped().shape())
