"""Earlier runs: whose results count before those of the cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from penstock.model.records import RunRecord, StepRun
from penstock.runtime.cache import Key, Miss


class Earlier(Protocol):
    """What earlier runs have for the calls of this one."""

    @property
    def runs(self) -> Sequence[RunRecord]:
        """Those that are looked at, the newest first."""

    @property
    def said(self) -> str:
        """For the one who has started the run: what is looked at, and what is another by now."""

    def instead(self, cached: StepRun | Miss, call: str, key: Key) -> StepRun | None:
        """What they have for a call with this key, if it can be used, and is another result than
        the one that the cache has."""


class Nobody:
    """There are none to be looked at."""

    runs: Sequence[RunRecord] = ()
    said = ""

    def instead(self, cached: StepRun | Miss, call: str, key: Key) -> StepRun | None:
        """Nothing."""


NOBODY: Final = Nobody()
