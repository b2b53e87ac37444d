"""Options as their types want them: what stands in a file or a command becomes a value, or a
complaint in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import PenstockError
from penstock.lazy import lazy
from penstock.model.references import from_root, misspelt, resolve

if TYPE_CHECKING:
    from pydantic import ValidationError

    from penstock.stack import describe
else:
    describe = lazy("penstock.stack.describe")  # not needed where there are no options

_SHAPE: Final = (
    r".*(_type|_parsing|_of|literal_error|_required|_float|_size|_str|missing|_argument)"
)
"""Complaints of pydantic's that our own words for the type say better."""

_text: Final = json.JSONEncoder(ensure_ascii=False).encode


class Unfit(Exception):
    """The value is not what the option takes."""


def misspelt_in(value: object) -> str:
    """What is wrong with a reference that stands somewhere in an option."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return next(filter(None, map(misspelt_in, value)), "")
    return misspelt(value) if isinstance(value, str) else ""


def value(written: object, hint: Any, root: Path | None) -> Any:
    """What the option's type makes of it."""
    from pydantic import (
        PydanticUserError,
        TypeAdapter,
        ValidationError,
    )  # heavy; a stack without options is not

    secret = describe.holds_secret(hint)
    value = _replaced(written, root, secret=secret)
    try:
        # In a tuple, because a dataclass alone takes no configuration from outside.
        (made,) = TypeAdapter(tuple[hint], config={"extra": "forbid"}).validate_python((value,))
    except ValidationError as error:
        shown = "" if secret else f"{_short(written)} does not fit: "
        write = "" if secret else _listed(written, hint)
        raise Unfit(f"{shown}{_needed(error, hint)} is needed.{write}") from error
    except PydanticUserError as error:
        raise Unfit(f"it can be given in code only: it is {describe.words(hint)}.") from error
    except PenstockError as error:  # the own checks of a class that the option holds
        raise Unfit(" ".join(str(error).splitlines())) from error
    return made


def _replaced(value: object, root: Path | None, *, secret: bool) -> Any:
    if isinstance(value, str):
        value = from_root(value, root) if root else value
        return value if secret else resolve(value)
    if isinstance(value, Mapping):
        return {key: _replaced(item, root, secret=secret) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(item, root, secret=secret) for item in value]
    return value


def _needed(error: ValidationError, hint: Any) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if error.error_count() > 1 or re.fullmatch(_SHAPE, first["type"]):
        return describe.words(hint)
    limit = first["msg"].removeprefix("Value error, ")
    limit = re.sub(r"^\w+ should (be|have|match) ?", "", limit)
    return f"{describe.words(hint)}, {limit},"


def _listed(written: object, hint: Any) -> str:
    """What to write where one text stands in the place of several."""
    if not isinstance(written, str) or not describe.words(hint).startswith("a list"):
        return ""
    plain = re.fullmatch(r"[\w.-]+( *, *[\w.-]+)*", written)
    several = ", ".join(re.split(" *, *", written)) if plain else _text(written)
    return f" Write [{several}]; in a shell: '[{several}]'."


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
