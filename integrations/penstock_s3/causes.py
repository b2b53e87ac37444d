"""Causes: why an attempt failed, in words, and what cures it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from penstock_s3.place import RULE, is_legal

SILENT: Final = "Timeout"
"""The code of a cause that says least: that there was no answer."""

KEYS: Final = "{keys}"
LOGIN: Final = "{login}"
"""Cures that depend on where the credentials come from."""

FOREIGN: Final = "{foreign}"
"""The cure where it may not be S3 at all; nothing if the server has shown that it is."""

REACH: Final = "Look at its endpoint_url and region, and whether this machine is online."
NOT_S3: Final = "What answers there is no S3 server: look at its endpoint_url."
"""Cures of who has never answered as S3 does."""

_ODD_BUCKET: Final = (
    f"Look at its path. S3 has no bucket of such a name ({RULE}), so "
    "`penstock artifact-store up {store}` works only if this server makes one."
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one attempt failed."""

    code: str
    """What the server calls it, or our own word for it."""
    reason: str
    """Half a sentence, for people: what follows "cannot read …: "."""
    hint: str = ""
    passing: bool = False
    """Whether it may work the next time."""
    wait: float = 0.0
    """Seconds for which the server wants to be left alone."""
    nobody: bool = False
    """Whether there was nobody at all at that address."""
    most: int = 0
    """How often that may happen until it is no accident any more; 0 if it always may be."""


class Incomplete(Exception):
    """An answer without what it must have, or bytes that are not those that were sent."""


class Nothing(Incomplete):
    """An answer that says yes, and nothing that only S3 would say."""


def explained(cause: Cause, **facts: str) -> Cause:
    """The cause with what the one who asked knows: store, action, policy."""
    hint = cause.hint
    if cause.code == "NoSuchBucket" and not is_legal(facts.get("bucket", "")):
        hint = _ODD_BUCKET
    return replace(cause, reason=filled(cause.reason, facts), hint=filled(hint, facts))


def filled(text: str, facts: Mapping[str, str]) -> str:
    """A text with some of what stands in braces told."""
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def said(error: BaseException) -> str:
    """What an error says, on one line and without its last full stop."""
    inner = getattr(error, "kwargs", {}).get("error") or error
    return " ".join(str(inner).split()).rstrip(".") or type(inner).__name__
