"""What containers hold."""

from collections.abc import Callable


class Leaf:
    def __init__(self, size: int) -> None:
        self.size = size

    def height(self) -> int:
        return self.size


class Tree:
    def __init__(self, leaves: list[Leaf]) -> None:
        self.leaves = leaves

    def height(self) -> int:
        return sum(leaf.height() for leaf in self.leaves)


class Account:
    def __init__(self, amount: int, pay: Callable[[int], int]) -> None:
        self.amount = amount
        self.pay = pay


def bank(value: int) -> int:
    return value * 2


reserve = Account(50, bank)
