"""Runs that are left out of a listing, for they cannot be read: one line tells of all of them."""

from __future__ import annotations

from typing import Final

from penstock.errors import CorruptArtifact

FEW: Final = 3
"""How many of them are named."""


class LeftOut:
    """Hears of one after the other, and says it once."""

    def __init__(self) -> None:
        self._why: dict[str, CorruptArtifact] = {}

    def add(self, run: str, error: CorruptArtifact) -> None:
        self._why[run] = error

    @property
    def said(self) -> str:
        """Which runs, and what to type; nothing if there are none."""
        if not self._why:
            return ""
        run, error = next(iter(self._why.items()))
        if len(self._why) == 1:
            return f"Run {run} is left out: {' '.join(str(error).splitlines())}"
        return (
            f"{len(self._why):,} runs are left out, for they cannot be read: {self._some()}. "
            f"For the reason, type: penstock run show {run}. If nobody needs them: penstock run "
            "delete RUN…"
        )

    def _some(self) -> str:
        more = f" and {len(self._why) - FEW:,} more" if len(self._why) > FEW else ""
        return ", ".join(list(self._why)[:FEW]) + more
