"""What drivers tell of an object: each has its own words for the time."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from penstock.artifacts.store import Entry

TIMES: Final = (
    "mtime", "modified", "last_modified", "LastModified", "updated", "modify", "created",
)  # fmt: skip
"""Under which name a driver says when an object was written, the best one first."""

_FTP: Final = re.compile(r"^(\d{8})(\d{6})")
"""A moment as FTP has it: 20261122153000."""


def entry_of(key: str, told: Mapping[str, Any]) -> Entry:
    """An object, or a folder if the key ends so."""
    if key.endswith("/"):
        return Entry(key, 0, 0.0)
    return Entry(key, int(told.get("size") or 0), modified(told))


def is_folder(told: Mapping[str, Any]) -> bool:
    """Whether it is no object."""
    return told.get("type") == "directory"


def modified(told: Mapping[str, Any]) -> float:
    """Seconds since 1970. What has no time counts as just written: so nobody ever deletes it for
    its age."""
    for name in TIMES:
        if (found := _seconds(told.get(name))) is not None:
            return found
    return time.time()


def _seconds(said: object) -> float | None:
    if isinstance(said, datetime):
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp()
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(said)
    if isinstance(said, str):
        try:
            return _seconds(datetime.fromisoformat(_FTP.sub(r"\1T\2", said)))
        except ValueError:
            return None
    return None
