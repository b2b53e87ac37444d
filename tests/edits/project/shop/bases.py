"""What the classes of the project are made of."""

from typing import Any

MARGIN = 1


class Base:
    rate = 2

    def priced(self, value: int) -> int:
        return self.tripled(value) * self.rate

    def tripled(self, value: int) -> int:
        return value * 3


class Mixin:
    def greeting(self) -> str:
        return "hello"


class Meta(type):
    def __call__(cls, *args: Any) -> Any:
        made = super().__call__(*args)
        made.mark = 1
        return made


class Announced:
    def __init_subclass__(cls) -> None:
        cls.title = cls.__name__ + "."

    title = ""


class Doubling:
    """A descriptor."""

    def __get__(self, instance: Any, owner: type) -> int:
        return 2 * int(instance.size)


def titled(kind: Any) -> Any:
    kind.label = "a " + kind.__name__
    return kind


def margin() -> int:
    return MARGIN
