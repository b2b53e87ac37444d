"""Earlier runs: where the result of a step is looked for before the cache is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from penstock.model.records import RunRecord, StepRun
from penstock.runtime.cache import Key


class Earlier(Protocol):
    """What earlier runs have for the calls of this one."""

    @property
    def runs(self) -> Sequence[RunRecord]:
        """Those that are looked at, the newest first."""

    @property
    def said(self) -> str:
        """For the one who has started the run: what is looked at, and what is another by now."""

    def result(self, call: str, key: Key) -> StepRun | None:
        """What they have for a call with this key, if it can be used."""


class Nobody:
    """There are none to be looked at."""

    runs: Sequence[RunRecord] = ()
    said = ""

    def result(self, call: str, key: Key) -> StepRun | None:
        """Nothing."""


NOBODY: Final = Nobody()
