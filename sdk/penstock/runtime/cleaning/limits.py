"""Limits: how much of the past a cleaning leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from penstock.errors import BadArguments
from penstock.model import durations

GRACE: Final = "1d"
KEEP_RUNS: Final = 10
KEEP_CACHE: Final = "30d"
KEEP_COMPILED: Final = "90d"

ENOUGH: Final = 2
"""How often the time for which an object is young, as grace, leaves time to write down who relies
on what was young a moment ago."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What stays, whoever needs it."""

    grace: float
    """Seconds since it was written or used for which nothing at all is deleted."""
    keep_runs: int
    """The newest runs of each pipeline."""
    keep_cache: float
    """Seconds since it was made or used for which a result stays in the cache."""
    keep_compiled: float
    """Seconds since it was compiled or begun for which a compiled pipeline can be carried out."""

    @classmethod
    def of(
        cls,
        grace: str | float,
        keep_runs: int,
        keep_cache: str | float,
        keep_compiled: str | float = KEEP_COMPILED,
    ) -> Self:
        """From what a user has written. Raises `BadArguments`."""
        if type(keep_runs) is not int or keep_runs < 0:
            raise BadArguments(f"keep_runs={keep_runs!r}: a whole number of runs is needed.")
        return cls(
            _span("grace", grace), keep_runs, _span("keep_cache", keep_cache),
            _span("keep_compiled", keep_compiled),
        )  # fmt: skip


def _span(name: str, said: str | float) -> float:
    if not said or str(said).strip() in ("0", "0s"):
        return 0.0
    if (length := durations.seconds(said)) is None:
        raise BadArguments(f"{name}={said!r} is no span of time: {durations.SPANS}.")
    return length
