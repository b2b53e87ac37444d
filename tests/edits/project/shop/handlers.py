"""Functions for tables."""


def first(value: int) -> int:
    return value + 2


def second(value: int) -> int:
    return value * 3


def third(value: int) -> int:
    return value * 5


TABLE = {"first": third}
