"""Fills the table."""

from shop.registry import register


@register
def adding(value: int) -> int:
    return value + 1


NAMES = ["adding"]
