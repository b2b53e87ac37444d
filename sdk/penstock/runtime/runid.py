"""Run ids: UTC, in the order of time also within a second, and short to type."""

from __future__ import annotations

import os
import re
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: in ASCII order, without letters that look like others."""

PATTERN: Final = re.compile(r"\d{8}-\d{6}-[0-9a-z]{4}-[0-9a-z]{4}")


def new_run_id(now: float | None = None) -> str:
    """For example `20261122-005412-k3fq-7f3a`: second, fraction of it, chance."""
    moment = time.time() if now is None else now
    whole = int(moment)
    fraction = int((moment - whole) * 32**4)
    return f"{second(whole)}-{_letters(fraction)}-{_letters(int.from_bytes(os.urandom(3)) >> 4)}"


def second(moment: float) -> str:
    """What the ids of all runs of this second begin with."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime(moment))


def nonce(now: float | None = None) -> str:
    """A name for one attempt: ascending in time, and unlike any other."""
    # In microseconds: one attempt after the other takes less than a millisecond.
    return f"{int((time.time() if now is None else now) * 1e6):013x}-{os.urandom(4).hex()}"


def _letters(number: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in (15, 10, 5, 0))
