"""What a server and the way to it can do to a request.

A fault is `{"path": a pattern of "METHOD /path?query", "kind": …, "times": 1, "after": 0,
"seconds": …}`. Kinds:

* a number of HTTP – 401, 403, 404, 500, 502, 503, 504 … – as an answer, with nothing done;
* `slow` is done after `seconds`, `hang` is never done nor answered;
* `html` is the page of a login with 200; `redirect` leads there;
* `cut` closes the connection with nothing done; `half` after half of the answer, with all done;
* `commit-then-cut`, `commit-then-hang` and `commit-then-500` (any number) when all is done;
* `commit-then-slow` answers after `seconds`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

KINDS: Final = re.compile(r"(commit-then-)?([345]\d\d|slow|hang|cut)|html|redirect|half")

PAGE: Final = "<!doctype html><html><head><title>Log in to Your Account</title></head></html>"


@dataclass(slots=True)
class Fault:
    """One that is planned."""

    path: str
    kind: str
    times: int = 1
    after: int = 0
    """So many that it fits are let through first."""
    seconds: float = 1

    def __post_init__(self) -> None:
        self.kind = str(self.kind)
        if not KINDS.fullmatch(self.kind):
            raise ValueError(f"no kind of fault: {self.kind}")
        re.compile(self.path)

    @property
    def commits(self) -> bool:
        """Whether the request is done all the same."""
        return self.kind.startswith("commit-then-") or self.kind in ("slow", "half")

    @property
    def status(self) -> int:
        """Of HTTP, if it is one; else 0."""
        number = self.kind.rpartition("-")[2]
        return int(number) if number.isdigit() else 0


@dataclass(slots=True)
class Mischief:
    """Those that are planned, oldest first."""

    planned: list[Fault] = field(default_factory=list)
    _lock: Any = field(default_factory=Lock)

    def plan(self, told: Mapping[str, Any]) -> None:
        """Raises `ValueError` or `TypeError`."""
        with self._lock:
            self.planned.append(Fault(**told))

    def forget(self) -> None:
        """All of them."""
        with self._lock:
            self.planned.clear()

    def of(self, request: str) -> Fault | None:
        """That of a request, which is one less from now on."""
        with self._lock:
            for fault in self.planned:
                if fault.times > 0 and re.search(fault.path, request):
                    if fault.after > 0:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None
