"""Used where there is no faster one."""


def summed(values: list[int]) -> int:
    return sum(values)
