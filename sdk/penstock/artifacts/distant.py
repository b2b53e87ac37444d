"""Distant stores: every request takes milliseconds, so this machine keeps what it has read."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Final

from penstock.artifacts.store import ArtifactStore
from penstock.errors import BadConfiguration
from penstock.model.resources import size_bytes

FRESH: Final = 43_200.0
"""Seconds for which an object is young there, half a day: a touch is a request for each object of a
run that takes all from the cache, and nobody cleans a place that others use as hastily as that."""


@dataclass(frozen=True, kw_only=True)
class DistantStore(ArtifactStore, ABC):
    """What flavors begin with whose place is on the other side of a network."""

    read_cache: str = "10GB"
    """How much this machine keeps of what it has read and written, for example "500GiB"; all
    such stores share it, and what was not used for longest goes first. "0" keeps nothing."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if size_bytes(self.read_cache) is None:
            raise BadConfiguration(
                f"The artifact store {self.name!r} has read_cache={self.read_cache!r}, which is no "
                "size.",
                hint="Write a number and a unit, for example read_cache='10GB', or '0' for none.",
            )

    @property
    def distant(self) -> bool:
        return True

    @property
    def fresh(self) -> float:
        return FRESH

    @property
    def read_cache_size(self) -> int:
        return size_bytes(self.read_cache) or 0
