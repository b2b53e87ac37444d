"""A distant store that counts how often somebody waits for it."""

import math
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from penstock.artifacts.store import Buffer, Entry
from penstock.testing.distant import SIDE_BY_SIDE, DistantArtifactStore

TRIPS: Counter[str] = Counter()
"""By path: how often somebody has waited for a store."""


@dataclass(frozen=True, kw_only=True)
class Watched(DistantArtifactStore):
    """Counts how often the main thread waits: what is asked for side by side is one trip."""

    flavor: ClassVar[str] = "watched"

    @property
    def trips(self) -> int:
        """How often it has waited so far."""
        return TRIPS[self.path]

    def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return super().get_all(self._counted(keys))

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return super().use_all(self._counted(keys))

    def stat_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        return super().stat_all(self._counted(keys))

    def _request(self, kind: str) -> None:
        if threading.current_thread() is threading.main_thread():
            TRIPS[self.path] += 1
        super()._request(kind)

    def _counted(self, keys: Iterable[str]) -> list[str]:
        found = list(keys)
        TRIPS[self.path] += math.ceil(len(found) / SIDE_BY_SIDE)
        return found
