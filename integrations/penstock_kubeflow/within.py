"""Within: what stands in data that somebody else has made. Anything may be missing or be null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Data = Mapping[str, Any]


def at(data: object, *keys: str) -> Any:
    """What stands there; None if nothing does."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def there(data: object, *keys: str) -> Data:
    """The object that stands there; an empty one if none does."""
    found = at(data, *keys)
    return found if isinstance(found, Mapping) else {}


def several(data: object, *keys: str) -> list[Data]:
    """The objects of the list that stands there."""
    found = at(data, *keys)
    return [each for each in found or () if isinstance(each, Mapping)]


def text(data: object, *keys: str) -> str:
    """In one line; nothing if nothing stands there."""
    return " ".join(str(at(data, *keys) or "").split())
