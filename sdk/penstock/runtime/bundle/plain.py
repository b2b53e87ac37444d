"""Plain data: values that Python can write down and read again."""

from __future__ import annotations

import ast
import math
from typing import Final

_TYPES: Final = (type(None), bool, int, str, bytes)


def written(value: object) -> str | None:
    """As an expression, the same for equal sets; None for anything that is no plain data."""
    try:
        return _text(value)
    except (ValueError, RecursionError):
        return None


def is_of(node: ast.expr, value: object) -> bool:
    """Whether an expression gives this value, of the same types: 1 is True otherwise."""
    return written(ast.literal_eval(node)) == written(value)


def _text(value: object) -> str:
    """Raises `ValueError`."""
    kind = type(value)
    if isinstance(value, list) and kind is list:
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, tuple) and kind is tuple:
        return f"({''.join(f'{_text(item)}, ' for item in value).rstrip(' ')})"
    if isinstance(value, set) and kind is set:
        return f"{{{', '.join(sorted(map(_text, value)))}}}" if value else "set()"
    if isinstance(value, dict) and kind is dict:
        return f"{{{', '.join(f'{_text(key)}: {_text(value[key])}' for key in value)}}}"
    if kind in _TYPES or (isinstance(value, float) and kind is float and math.isfinite(value)):
        return repr(value)
    raise ValueError(f"{value!r} is no plain data")
