"""Functions, classes and objects inside of others."""

from typing import Any

from penstock import step
from shop.contents import Account, Leaf, Tree, bank, reserve

TREES = {"small": Tree([Leaf(1), Leaf(2)])}
KINDS = {"leaf": Leaf}
HELD: Any = Account(5, bank)


@step
def climbs() -> int:
    return TREES["small"].height()


@step
def makes() -> int:
    return KINDS["leaf"](3).height()


@step
def saves() -> int:
    return int(HELD.pay(HELD.amount))


@step
def reserves() -> int:
    return int(HELD.pay(HELD.amount)) + reserve.amount
