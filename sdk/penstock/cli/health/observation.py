"""One thing that was looked at, and how it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from penstock.errors import PenstockError
from penstock.model.component import Finding


@dataclass(frozen=True, slots=True)
class Observation:
    """A fact, or what is wrong there, and what to do."""

    what: str
    said: str = ""
    hint: str = ""
    mark: str = "ok"
    """`ok`, `note` for what somebody should know though nothing is wrong, or `WRONG`."""
    exit_code: int = 0
    """That of a run which fails of this."""

    @classmethod
    def of(cls, what: str, found: Finding) -> Self:
        """What a check has found."""
        code = 0 if found.ok else found.exit_code
        return cls(what, found.message, found.hint, found.mark, code)

    @classmethod
    def wrong(cls, what: str, error: PenstockError) -> Self:
        """It does not work, and this is why."""
        return cls.of(what, Finding.of(what, error))

    def __str__(self) -> str:
        said = " ".join(f"{self.said} {self.hint}".split())
        return f"{self.mark:5}  {': '.join(filter(None, (self.what, said)))}"

    def to_data(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "what": self.what,
            "ok": self.mark != "WRONG",
            "mark": self.mark,
            "message": self.said,
            "hint": self.hint,
        }
