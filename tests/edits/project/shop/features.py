"""Helpers for several steps."""

from shop.deep import factor


def scale(value: float) -> float:
    """A helper with a helper."""
    # twice, for now
    return value * factor()


def shifted(value: float) -> float:
    return value + 10


def lifted(value: float) -> float:
    return value + 20


def unused(value: float) -> float:
    return value + 30
