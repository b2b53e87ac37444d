"""What helpers need."""

FACTOR = 2


def factor() -> int:
    return FACTOR + bonus()


def bonus() -> int:
    return 0
