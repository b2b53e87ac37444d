"""What an answer means, by the type of the option that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, get_origin

from penstock.cli.questions.question import NOTHING
from penstock.model.component import Secret
from penstock.stack.changing.spelling import is_flag, is_text, parts, shown
from penstock.stack.complaints import Complaints
from penstock.stack.nodes import parse

_WORDS: Final = {"y": True, "yes": True, "n": False, "no": False}


def value(text: str, hint: Any) -> Any:
    """Plain data. Raises `BadConfiguration`."""
    if is_text(hint):
        return text
    if is_flag(hint) and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    complaints = Complaints("your answer")
    node = parse(text, complaints)
    complaints.tell()
    return node.plain() if node else None


def worded(default: Any) -> str:
    """A value as it stands in brackets."""
    if isinstance(default, Enum):
        return worded(default.value)
    if isinstance(default, PurePath | Secret):
        return str(default)
    if is_dataclass(default) and not isinstance(default, type):
        return worded(asdict(default))
    if default is None or default in ("", (), [], {}, frozenset()):
        return NOTHING
    return shown(default)


def takes_text(hint: Any) -> bool:
    """Whether an option for secrets takes one by itself."""
    return any(part is Secret for part in parts(hint))


def takes_names(hint: Any) -> bool:
    """Whether it takes several, each under a name."""
    return any(_is_mapping(part) for part in parts(hint))


def _is_mapping(part: Any) -> bool:
    kind = get_origin(part) or part
    return isinstance(kind, type) and issubclass(kind, Mapping)
