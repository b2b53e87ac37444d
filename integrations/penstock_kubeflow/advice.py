"""Advice: what to write instead of a value that does not fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, get_args

_SIZES: Final = ("memory", "memory_limit", "shared_memory", "empty_dirs", "ephemeral_volumes")
_REFERENCES: Final = ("secret_env", "config_env", "secret_files", "config_files", "claims")
"""Text there is a name, and nobody means a number by it."""
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_GIGABYTES: Final = 10_000
"""Nobody has so many of them: a larger number is one of bytes."""


def written(setting: str, value: object, hint: Any) -> str:
    """What is probably meant, as it has to be written; empty if nobody knows."""
    if setting in _REFERENCES:
        return ""
    kinds = {hint, *get_args(hint)}
    if isinstance(value, bool | int | float) and str in kinds:
        return repr(_quoted(setting, value))
    if isinstance(value, str) and kinds & {int, float}:
        return _number(setting, value.strip())
    if isinstance(value, str) and bool in kinds and value.lower() in ("true", "false"):
        return f"{value.lower()}, without quotes"
    if isinstance(value, str) and _is_list(hint):
        return f"[{value!r}]"
    return ""


def _quoted(setting: str, value: bool | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if setting in _SIZES:
        return f"{value}Gi" if 0 < value < _GIGABYTES else str(value)
    return str(value)


def _number(setting: str, text: str) -> str:
    if re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", text):
        return f"{text}, without quotes"
    if setting in ("cpu", "cpu_limit") and (found := re.fullmatch(r"(\d{1,9})m", text)):
        return f"{int(found[1]) / 1000:g}"
    if setting == "deadline" and (found := re.fullmatch(r"(\d{1,9}) ?(s|min|m|h|d)", text)):
        return f"{int(found[1]) * _SECONDS[found[2]]}, which is seconds"
    return ""


def _is_list(hint: Any) -> bool:
    return any(getattr(part, "__origin__", None) is Sequence for part in (hint, *get_args(hint)))
