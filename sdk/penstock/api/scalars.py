"""A single value of a file, as what the annotation names: numbers, texts, choices, dates."""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

from penstock.lazy import lazy
from penstock.model.signature import bare

if TYPE_CHECKING:
    from penstock.api import words
else:
    words = lazy("penstock.api.words")  # only for text that is to be something else

UNREAD: Final = object()
"""In place of a value that was complained of."""

_PLAIN: Final = (int, float, bool, str)


class InCodeOnly(Exception):
    """No text or data makes a value of this type."""


def read(value: Any, hint: Any) -> Any:
    """The value of this type; text may be written as on a command line, too.

    Raises `ValueError` or `InCodeOnly`.
    """
    kind = bare(hint)
    if kind in (Any, object) or (kind in _PLAIN and type(value) is kind):
        return value
    if kind is float and type(value) is int:
        return _float(value)
    choices = _choices(kind)
    for written, choice in choices or ():
        if type(written) is type(value) and written == value:
            return choice
    if choices is None and kind not in (*_PLAIN, Path):
        with suppress(ValueError):
            return of_pydantic(value, hint)
    if isinstance(value, str) and kind is not str:
        return words.read(hint, value)
    raise ValueError(f"{value!r} is no {kind!r}")


def of_pydantic(value: Any, hint: Any) -> Any:
    """What pydantic makes of it. Raises `ValueError`, pydantic's own, or `InCodeOnly`."""
    from pydantic import PydanticUserError, TypeAdapter  # heavy, and not for plain values

    try:
        return TypeAdapter(hint).validate_python(value)
    except PydanticUserError as error:
        raise InCodeOnly from error


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("too large") from error


def _choices(kind: Any) -> list[tuple[Any, Any]] | None:
    """How each choice is written, and what it means."""
    if get_origin(kind) is Literal:
        return [(item, item) for item in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [(item.value, item) for item in kind]
    return None
