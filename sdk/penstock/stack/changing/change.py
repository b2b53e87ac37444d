"""What became of a file: one entry that was written, changed or taken out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One of them, as it is told."""

    what: str
    """In words: `artifact store bucket`."""
    how: str
    """`registered`, `updated`, `deleted` or `active`."""
    file: Path
    where: str
    """File and line, for example `penstock.yaml:14`; of what is gone the file."""
    undo: str = ""
    """The command line that brings back what was there; empty if nothing has to be."""
    remarks: tuple[str, ...] = ()
    """Sentences that one should know."""

    def __str__(self) -> str:
        return f"{self.what}: {self.how} ({self.where})"

    def to_data(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "what": self.what,
            "how": self.how,
            "written_in": self.where,
            "undo": self.undo,
            "remarks": list(self.remarks),
        }
