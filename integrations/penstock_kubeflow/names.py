"""Names as Kubernetes has them: small letters, digits and `-`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Final

_OTHER: Final = re.compile(r"[^a-z0-9]+")

LONGEST: Final = 63
"""Letters of a name that Kubernetes keeps whole everywhere."""


def dashed(text: str, longest: int = LONGEST) -> str:
    """The nearest name to a text; `x` if nothing of it is left."""
    return _OTHER.sub("-", text.lower()).strip("-")[:longest].rstrip("-") or "x"


class Names:
    """Names that are given once each. What was given before is never given again.

    They begin with a letter: the engine of Kubeflow takes no task that begins with a digit.
    """

    def __init__(self, *taken: str, longest: int = LONGEST) -> None:
        self._taken = set(taken)
        self._longest = longest

    def new(self, text: str) -> str:
        """The nearest name to a text that is still free."""
        name = next(name for name in self._near(text) if name not in self._taken)
        self._taken.add(name)
        return name

    def _near(self, text: str) -> Iterator[str]:
        first = dashed(text)
        short = dashed(f"x-{first}" if first[0].isdigit() else first, self._longest)
        yield short
        for number in count(2):
            end = f"-{number}"
            yield short[: self._longest - len(end)].rstrip("-") + end
