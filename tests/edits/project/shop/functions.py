"""Functions that are values: wrapped, bound, partial, kept in tables, made while importing."""

import functools
import operator
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from penstock import step
from shop import handlers, registered, registry
from shop.handlers import first, second


def scaled_by(factor: int) -> Callable[[int], int]:
    def inner(value: int) -> int:
        return value * factor

    return inner


def louder(function: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(function)
    def wrapped(*args: int) -> int:
        return function(*args) + 1

    return wrapped


def quieter(function: Callable[..., int]) -> Callable[..., int]:
    def wrapped(*args: int) -> int:
        return function(*args) - 1

    return wrapped


@louder
def loud(value: int) -> int:
    return value + 100


@quieter
def quiet(value: int) -> int:
    return value + 200


def powered(base: int, exponent: int) -> int:
    return int(base**exponent)


@functools.lru_cache
def remembered(value: int) -> int:
    return value + 300


@contextmanager
def opened(value: int) -> Iterator[int]:
    yield value + 400


@functools.singledispatch
def described(value: object) -> str:
    return "thing"


@described.register
def _(value: int) -> str:
    return "number"


def by_size(one: str, other: str) -> int:
    return len(one) - len(other)


def tuned(value: int) -> int:
    return value + int(tuned.extra)  # type: ignore[attr-defined]


def template(value: int) -> int:
    return value + first(0)


tuned.extra = 3  # type: ignore[attr-defined]
double = scaled_by(2)
squared = functools.partial(powered, exponent=2)
shout = lambda text: text + "!"  # noqa: E731
PAIR = (lambda value: value + 1, lambda value: value - 1)
TABLE = {"one": lambda value: value + 10, "two": lambda value: value + 20}
CHAIN: list[Callable[[int], int]] = [first, second]
SORTED = functools.cmp_to_key(by_size)
CALLER = operator.methodcaller("center", 5, "*")
GETTER = operator.itemgetter(0)
MADE: dict[str, Any] = {}
exec("def made(value):\n    return value + 500\n", MADE)
made = MADE["made"]
copied = types.FunctionType(template.__code__, {"first": second}, "copied")


@step
def closes() -> int:
    return double(3)


@step
def decorated() -> int:
    return loud(1)


@step
def decorated_bare() -> int:
    return quiet(1)


@step
@louder
def decorated_step() -> int:
    return 1


@step
def partially() -> int:
    return squared(3)


@step
def lambdas() -> str:
    return shout("hey")


@step
def paired() -> list[int]:
    return [each(1) for each in PAIR]


@step
def tabled() -> int:
    return TABLE["one"](1)


@step
def chained() -> int:
    value = 1
    for each in CHAIN:
        value = each(value)
    return value


@step
def caches() -> int:
    return remembered(1)


@step
def in_context() -> int:
    with opened(1) as value:
        return value


@step
def dispatches() -> str:
    return described(1.5)


@step
def compares() -> list[str]:
    return sorted(["aa", "b"], key=SORTED)


@step
def calls_by_name() -> str:
    return str(CALLER("a"))


@step
def gets_by_place() -> int:
    return int(GETTER((7, 8)))


@step
def tunes() -> int:
    return tuned(1)


@step
def of_text() -> int:
    return int(made(1))


@step
def of_parts() -> int:
    return int(copied(1))


@step
def registers() -> int:
    return registry.KNOWN["adding"](1)


@step
def through_the_table() -> int:
    return handlers.TABLE["first"](1)


PLUGINS = registered.NAMES
