"""Places: paths in the project, which count by where in it they lead, and not by where it lies.

In a pod, or on a colleague's machine, the project's folder has another name. What code has made of
`Path(__file__).parent` is another text there, and still the same place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii
from pathlib import Path, PurePath
from typing import Any, Final

from penstock.digest import digest
from penstock.model import plain


@dataclass(frozen=True, slots=True)
class Places:
    """Those in one folder."""

    root: str
    """Absolute; empty if no path counts by its place."""
    _written: str = field(init=False, compare=False)
    """As it stands in the text of plain data; a line break, which never does, if it is empty."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_written", encode_basestring_ascii(self.root)[1:-1] or "\n")

    @classmethod
    def below(cls, folder: Path) -> Places:
        """Those in a folder. Everything lies in the root of the file system: that says nothing."""
        text = os.path.abspath(folder)
        return NOWHERE if text == os.path.dirname(text) else cls(text)

    def find(self, value: object) -> str | None:
        """What follows the root in a path that lies in it: nothing, or a slash and more."""
        path = _text(value)
        if not self.root or path is None or not path.startswith(self.root):
            return None
        rest = path[len(self.root) :]
        return None if rest and rest[0] != "/" else rest

    def token(self, value: Any, text: str) -> str | None:
        """What stands for plain data in which there is a path into the project; None for any other.

        `text` is the data encoded, which mostly shows that there is none.
        """
        # Bytes, and text that JSON cannot hold, do not show in it what they are.
        if not (self._written in text or '"$bytes"' in text or '"$str"' in text):
            return None
        return digest("placed/1", plain.encode(self._marked(value))) if self._leads(value) else None

    def shown(self, value: object) -> str | None:
        """A path in the project, for people."""
        rest = self.find(value)
        return None if rest is None else f"{plain.encode(rest[1:] or '.')} in the project"

    def _leads(self, value: Any) -> bool:
        """Whether a path into the project is among plain data."""
        kind = type(value)
        if kind is str or kind is bytes:
            return self.find(value) is not None
        if kind is dict:
            return any(map(self._leads, value)) or any(map(self._leads, value.values()))
        return kind in _CONTAINERS and any(map(self._leads, value))

    def _marked(self, value: Any) -> Any:
        """Plain data with a sign before every text in it: whether it is a place or that text."""
        kind = type(value)
        if kind is str:
            rest = self.find(value)
            return f"={value}" if rest is None else f"@{rest}"
        if kind is bytes:
            return os.fsencode(self._marked(os.fsdecode(value)))
        if kind is dict:
            return {self._marked(key): self._marked(item) for key, item in value.items()}
        return kind(map(self._marked, value)) if kind in _CONTAINERS else value


def _text(value: object) -> str | None:
    """A path as text, whatever its class says of it."""
    if isinstance(value, PurePath):
        return PurePath.__str__(value)
    if type(value) is bytes:
        return os.fsdecode(value)
    return value if type(value) is str else None


_CONTAINERS: Final = frozenset({list, tuple, set, frozenset})

NOWHERE: Final = Places("")
"""No path counts by its place."""
