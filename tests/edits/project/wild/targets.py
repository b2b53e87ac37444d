"""What is looked up."""


def aliased(value: int) -> int:
    return value + 1


def handed(value: int) -> int:
    return value + 2


def computed_plan(value: int) -> int:
    return value + 3


def in_vars_plan(value: int) -> int:
    return value + 4


def listed(value: int) -> int:
    return value + 5


def operated_plan(value: int) -> int:
    return value + 6


def evaluated(value: int) -> int:
    return value + 7


def executed(value: int) -> int:
    return value + 8
