"""Plain data as YAML text that every reader understands alike."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_PLAIN: Final = re.compile(r"(?:[A-Za-z_/]|\.{1,2}/|~/)(?:[\w./@+=~-]|:(?=[\w./]))*", re.ASCII)
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off"})
"""What is no text, to some reader or other."""

_json: Final = json.JSONEncoder(ensure_ascii=False).encode

_UNPRINTABLE: Final = (
    "[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Compiled where it is needed: that takes longer than most commands take to write a file."""


def plain(value: Any) -> Any:
    """`value` as a YAML reader would give it. Raises `TypeError` where none would."""
    if isinstance(value, Mapping):
        return {_text(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _written(value)
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"a {type(value).__name__} cannot stand in a YAML file")


def _text(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the key {key!r} is no text")
    return _written(key)


def _written(text: str) -> str:
    """Raises `TypeError` for what was bytes of another encoding."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TypeError(f"the text {text!r} is not Unicode") from error
    return str(text)


def flow(value: Any, quote: str = "") -> str:
    """On one line. `quote` is how the text that stood there was quoted."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _quoted(value, quote) if isinstance(value, str) else _word(value)


def block(key: str, value: Any, pad: str, unit: str, levels: int) -> Iterator[str]:
    """`key` with its value as lines; mappings `levels` deep are spread over lines of their own."""
    if isinstance(value, dict) and value and levels > 0:
        yield f"{pad}{flow(key)}:"
        for inner, item in value.items():
            yield from block(inner, item, pad + unit, unit, levels - 1)
    else:
        yield f"{pad}{flow(key)}: {flow(value)}"


def by_hand(way: tuple[str, ...], value: Any) -> str:
    """What to write where an edit is refused."""
    lines = [f"{'  ' * depth}{flow(key)}:" for depth, key in enumerate(way)]
    return "\n".join(["Write by hand:", *lines[:-1], f"{lines[-1]} {flow(value)}"])


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return repr(value)


def _quoted(text: str, quote: str) -> str:
    if quote != '"' and not _is_unprintable(text):
        if quote == "'":
            return "'" + text.replace("'", "''") + "'"
        if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
            return text
    said = _json(text)
    return re.sub(_UNPRINTABLE, _escaped, said) if _is_unprintable(said) else said


def _is_unprintable(text: str) -> bool:
    if text.isascii() and text.isprintable():
        return False
    return re.search(_UNPRINTABLE, text) is not None


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
