"""Notes: values as short text for people."""

from __future__ import annotations

from types import FunctionType
from typing import Any, Final

from penstock.model import plain
from penstock.model.names import reference
from penstock.runtime.fingerprints.places import Places

LONGEST: Final = 200
"""Characters."""


def shown(value: Any, places: Places) -> str:
    """A value in a few words: plain data as it is, a path in the project by where it leads there,
    anything else by what it is."""
    if (place := places.shown(value)) is not None:
        return place[:LONGEST]
    try:
        text = plain.encode(value)
    except plain.NotPlain:
        if isinstance(value, FunctionType | type):
            return f"{type(value).__name__} {reference(value)}"[:LONGEST]
        return f"a {type(value).__qualname__}"[:LONGEST]
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
