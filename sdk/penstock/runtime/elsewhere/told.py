"""What the command line of a pod says: all that a process on another machine has to know."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

_SHARE: Final = re.compile(r"(?P<map>[^:]+):(?P<number>[0-9]{1,7})/(?P<of>[0-9]{1,7})")


class Share(NamedTuple):
    """Which of the items of a map are meant: of `of` stretches of about the same length, the one
    of this number, from 0 on."""

    number: int
    of: int

    def among(self, count: int) -> range:
        """Their places among so many."""
        return range(self.number * count // self.of, (self.number + 1) * count // self.of)


WHOLE: Final = Share(0, 1)


@dataclass(frozen=True, slots=True)
class Told:
    """Without a call, the run is to be ended."""

    run: str
    """The one that the job was submitted for, or `NEW`."""
    plan: str
    record: str
    """Digest of the record that the run of an unknown job begins with a copy of."""
    store: str
    """Id of the store that has all of it."""
    stack: Mapping[str, Any]
    job: str = ""
    code: str = ""
    """Digest of the project's code; empty if it is there already."""
    python: str = ""
    call: str = ""
    share: Share | None = None
    """Of the items of a map: then `call` is the map."""
    resumed: str = ""

    @classmethod
    def of(cls, given: argparse.Namespace) -> Self:
        """What was parsed."""
        call, share = _shared(given.call or "")
        return cls(
            given.run, given.plan, given.record, given.store or "", json.loads(given.stack),
            given.job or "", given.code or "", given.python or "", call, share,
            given.resumed or "",
        )  # fmt: skip

    @property
    def name(self) -> str:
        """That of this process among those of its run: it can be part of a key."""
        return f"{self.call}.{self.share.number}-{self.share.of}" if self.share else self.call


def _shared(text: str) -> tuple[str, Share | None]:
    """A call, and which of its items."""
    found = _SHARE.fullmatch(text)
    if found is None:
        return text, None
    return found["map"], Share(int(found["number"]), max(int(found["of"]), 1))
