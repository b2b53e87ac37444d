"""Plain data: what JSON can hold exactly. The one text form of parameters and small values.

`None`, `bool`, `int`, finite `float`, `str`, `list` and `dict` with `str` keys are written as JSON.
Everything else that is still plain is written under a tag: `{"$tuple": […]}`, `$set`, `$frozenset`,
`$bytes` (base64), `$str` (base64 of UTF-8, for text with lone surrogates, which JSON would join),
`$float` (`nan`, `inf`, `-inf`), `$int` (hexadecimal, where decimal would be too
long), `$dict` (pairs, for other keys or for keys that begin with `$`). Subclasses are not plain:
they would come back as another type.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NamedTuple

LONGEST_BYTES: Final = 1 << 20
"""Bytes up to which `bytes` are written as text, which takes several copies of them."""

LONGEST_DECIMAL: Final = 10_000
"""Bits of an integer up to which Python writes it in decimal without complaint."""

_dump = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_dump_sorted = json.JSONEncoder(separators=(",", ":"), allow_nan=False, sort_keys=True).encode


class NotPlain(Exception):
    """The value is not plain data."""


def encode(value: object) -> str:
    """The value as text; `decode` gives back an equal value of the same types.

    Raises `NotPlain`, also for long `bytes`, which are better kept as they are.
    """
    return _scalar(value) or _dump(_tagged(value, _WRITTEN))


def canonical(value: object) -> str:
    """Like `encode`, but equal for dicts that differ only in the order of their keys."""
    return _scalar(value) or _dump_sorted(_tagged(value, _CANONICAL))


def decode(text: str | bytes | bytearray) -> Any:
    """The value that was encoded, made anew at each call."""
    return _load(text if isinstance(text, str) else text.decode())


def is_number(value: object) -> bool:
    """Whether it is an int or a float, and no bool."""
    return type(value) in (int, float)


def _scalar(value: object) -> str | None:
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value) if _is_text(value) else None  # type: ignore[arg-type]
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int and value.bit_length() < LONGEST_DECIMAL:  # type: ignore[attr-defined]
        return str(value)
    if kind is float and math.isfinite(value):  # type: ignore[arg-type]
        return repr(value)
    return None


class _Way(NamedTuple):
    """How the text is to be."""

    pairs: Callable[[list[list[Any]]], list[list[Any]]]
    base64: Callable[[bytes], str]


def _as_written(pairs: list[list[Any]]) -> list[list[Any]]:
    return pairs


def _in_order(pairs: list[list[Any]]) -> list[list[Any]]:
    return sorted(pairs, key=_dump_sorted)


def _tagged(value: Any, way: _Way) -> Any:
    try:
        return _tag(value, way, set())
    except RecursionError:
        raise NotPlain("nested too deeply") from None


def _tag(value: Any, way: _Way, above: set[int]) -> Any:
    kind = type(value)
    if kind is bool or value is None:
        return value
    if kind is str:
        if _is_text(value):
            return value
        return {"$str": _base64(value.encode("utf-8", "surrogatepass"))}
    if kind is int:
        return value if value.bit_length() < LONGEST_DECIMAL else {"$int": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if kind is bytes:
        return {"$bytes": way.base64(value)}
    if kind not in _CONTAINERS:
        raise NotPlain(f"{kind.__qualname__} is not plain data")
    if id(value) in above:
        raise NotPlain("it contains itself")
    above.add(id(value))
    result: Any
    if kind is dict:
        result = _tag_dict(value, way, above)
    else:
        items = [_tag(item, way, above) for item in value]
        if kind is list:
            result = items
        elif kind is tuple:
            result = {"$tuple": items}
        else:
            result = {f"${kind.__name__}": sorted(items, key=_dump_sorted)}
    above.discard(id(value))
    return result


def _is_text(value: Any) -> bool:
    """Whether UTF-8 can hold it: not if it has half of a surrogate pair (Unicode 15, 3.9, D75)."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _short_base64(value: bytes) -> str:
    if len(value) >= LONGEST_BYTES:
        raise NotPlain(f"there are {len(value)} bytes in it")
    return _base64(value)


_WRITTEN: Final = _Way(_as_written, _short_base64)
_CANONICAL: Final = _Way(_in_order, _base64)

_CONTAINERS: Final = frozenset({list, dict, tuple, set, frozenset})


def _tag_dict(value: dict[Any, Any], way: _Way, above: set[int]) -> dict[str, Any]:
    if all(type(key) is str and not key.startswith("$") and _is_text(key) for key in value):
        return {key: _tag(item, way, above) for key, item in value.items()}
    pairs = [[_tag(key, way, above), _tag(item, way, above)] for key, item in value.items()]
    return {"$dict": way.pairs(pairs)}


_UNTAG: Final[dict[str, Callable[[Any], Any]]] = {
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
    "$bytes": base64.b64decode,
    "$str": lambda text: base64.b64decode(text).decode("utf-8", "surrogatepass"),
    "$float": float,
    "$int": lambda digits: int(digits, 16),
    "$dict": dict,
}


def _untagged(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        (tag,) = value
        if tag in _UNTAG:
            return _UNTAG[tag](value[tag])
    return value


_load: Final = json.JSONDecoder(object_hook=_untagged).decode
