"""Spans of time as people write them: `30s`, `15m`, `12h`, `7d`, `2w`, or several, `1d12h`."""

from __future__ import annotations

import re
from typing import Final

from penstock.model.plain import is_number

SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
"""What the letters stand for, the longest first."""

SPANS: Final = "a number with w, d, h, m or s is needed, for example 12h"

LONGEST: Final = 1_000 * 365 * SECONDS["d"]
"""Seconds; more cannot be meant, and more than three times that no `timedelta` holds."""

_WORDS: Final = {"day": "d", "hour": "h", "minute": "m", "second": "s"}
_SPAN: Final = re.compile(
    "".join(rf"(?:(\d{{1,9}}(?:\.\d{{1,9}})?){unit})?" for unit in SECONDS), re.ASCII
)


def seconds(said: object) -> float | None:
    """How long `1d12h` is, or a number of seconds; None if it is no span of time."""
    length: float = 0
    if is_number(said):
        length = said  # type: ignore[assignment] # a number, as was just asked
    elif isinstance(said, str) and (found := _SPAN.fullmatch(said.replace(" ", ""))):
        pairs = zip(found.groups(), SECONDS.values(), strict=True)
        length = sum(float(count) * unit for count, unit in pairs if count)
    return length if 0 < length <= LONGEST else None


def written(length: float) -> str:
    """What `seconds` reads as this length, to the microsecond: `1d12h`, `0.25s`."""
    whole, words = int(length), []
    for unit, size in SECONDS.items():
        count, whole = divmod(whole, size)
        if unit == "s":
            fraction = f"{length % 1:.6f}"[1:].rstrip("0").rstrip(".")
            words.append(f"{count}{fraction}s" if count or fraction else "")
        elif count:
            words.append(f"{count}{unit}")
    return "".join(words)


def spoken(length: float) -> str:
    """A span in the two longest units that it fills: `1 day`, `1 hour 30 minutes`."""
    if length < 1 or (length % 1 and length < SECONDS["m"]):
        return f"{length:g} seconds"
    rest, words = int(length), []
    for word, unit in _WORDS.items():
        count, rest = divmod(rest, SECONDS[unit])
        if count:
            words.append(f"{count} {word}{'s' if count > 1 else ''}")
    return " ".join(words[:2])
