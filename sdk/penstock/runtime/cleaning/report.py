"""What a cleaning found, and what it took away or would take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Share:
    """So many things of one kind."""

    count: int = 0
    size: int = 0
    """Bytes. A record that lies under two names in a folder counts twice."""

    def add(self, size: int) -> None:
        self.count += 1
        self.size += size


@dataclass
class Kind:
    """What goes and what stays of one kind."""

    gone: Share = field(default_factory=Share)
    kept: Share = field(default_factory=Share)

    def add(self, size: int, *, gone: bool) -> None:
        (self.gone if gone else self.kept).add(size)


@dataclass
class Cleaned:
    """The result of a cleaning."""

    store: str
    """Where the store is."""
    deleted: bool
    """Whether what goes is gone, or only would go."""
    kinds: dict[str, Kind] = field(default_factory=dict)
    """By name: runs, compiled pipelines, cache entries, objects, checkpoints, leftovers."""
    runs: list[str] = field(default_factory=list)
    """The runs that go."""
    kept: dict[str, list[str]] = field(default_factory=dict)
    """Why runs stay → their ids."""
    tags: int = 0
    """Tagged artifacts; all of them stay."""
    foreign: list[str] = field(default_factory=list)
    """Keys that are none of ours, and were not touched."""

    def kind(self, name: str) -> Kind:
        return self.kinds.setdefault(name, Kind())

    @property
    def freed(self) -> int:
        """Bytes that go."""
        return sum(kind.gone.size for kind in self.kinds.values())

    @property
    def left(self) -> int:
        """Bytes that stay."""
        return sum(kind.kept.size for kind in self.kinds.values())

    def to_data(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "store": self.store,
            "deleted": self.deleted,
            "freed": self.freed,
            "left": self.left,
            "kinds": {
                name: {
                    "gone": vars(kind.gone),
                    "kept": vars(kind.kept),
                }
                for name, kind in self.kinds.items()
            },
            "runs": self.runs,
            "kept": self.kept,
            "tags": self.tags,
            "foreign": self.foreign,
        }
