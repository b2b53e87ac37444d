"""Values in a few letters: what they were and what they are, for one line."""

from __future__ import annotations

from typing import Final

from penstock.digest import is_digest
from penstock.model import plain
from penstock.runtime.notation import MALFORMED

WIDEST: Final = 32
"""Letters of a value on a line."""


def arrow(name: str, old: str | None, new: str | None) -> str:
    """What was and what is: `lr 0.1 → 0.05`, as short as it can be understood."""
    if old is None:
        return f"{name} {short(new)} is new"
    if new is None:
        return f"{name} {short(old)} is gone"
    if is_digest(old) or is_digest(new):  # long text counts by its digest
        return f"{name} changed"
    was, now = _windows(old, new)
    return f"{name} {was} → {now}"


def short(text: str | None) -> str:
    """The beginning of a text, on one line."""
    line = " ".join((text or "").split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"


def spoken(text: str | None) -> str | None:
    """Plain data as it is written in Python where JSON has no word for it: `{2, 3}`."""
    if text is None or '{"$' not in text:
        return text
    try:
        return repr(plain.decode(text))
    except MALFORMED:  # it only looks like it
        return text


def dotted(name: str) -> str:
    """`module:qualname` as people write it."""
    return name.replace(":", ".")


def _windows(old: str, new: str) -> tuple[str, str]:
    """Both, cut to where they begin to differ if the beginnings are too long to show it."""
    first, second = short(old), short(new)
    if first != second:
        return first, second
    old, new = " ".join(old.split()), " ".join(new.split())
    pairs = enumerate(zip(old, new, strict=False))
    at = next((i for i, (was, now) in pairs if was != now), min(len(old), len(new)))
    begin = max(at - WIDEST // 2, 0)
    return f"…{short(old[begin:])}", f"…{short(new[begin:])}"
