"""What a star brings."""


def star(value: int) -> int:
    return value + 5
