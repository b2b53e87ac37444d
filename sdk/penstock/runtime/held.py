"""Held: whether somebody else has what a step returned, and may go on to change it.

A buffer that the next step fills again must be written before that step begins. References are
counted for that: of the value, of what it holds, and of the memory that an array is a view of.
"""

from __future__ import annotations

import gc
import sys
from typing import Any, Final

_CONSTANT: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type})
"""Types of what nobody changes; it may be held by anybody."""

MOST: Final = 256
"""Items that are looked at."""


def by_nobody_else(value: Any) -> bool:
    """Whether the caller's variable is all that leads to a value, as far as counting tells."""
    kind = type(value)
    if kind in _CONSTANT:
        return True
    if sys.getrefcount(value) > _ALONE:
        return False
    items = [getattr(value, "base", None), *gc.get_referents(value)]
    if len(items) > MOST:
        return False
    return all(_is_inside_only(items, place) for place in range(len(items)))


def _is_inside_only(items: list[Any], place: int) -> bool:
    """Whether an item of a value is not held by others, too. A class is, and is no data."""
    if type(items[place]) in _CONSTANT or isinstance(items[place], type):
        return True
    return sys.getrefcount(items[place]) <= _INSIDE


def _counted(value: Any) -> int:
    return sys.getrefcount(value)


def _measured() -> tuple[int, int]:
    """How often Python counts what one variable alone holds, and what one container alone does:
    that differs between its versions."""
    value = bytearray()
    alone = _counted(value)
    container = [bytearray()]
    items = gc.get_referents(container)
    return alone, sys.getrefcount(items[0])


_ALONE, _INSIDE = _measured()
