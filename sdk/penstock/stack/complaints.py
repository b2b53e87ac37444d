"""Complaints about a file: collected, so that they are told all at once."""

from __future__ import annotations

from pathlib import Path

from penstock.errors import BadConfiguration

At = tuple[int, int]
"""Line and column, both from 1."""


class Complaints:
    """What is wrong with one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[tuple[At, str]] = []

    def add(self, at: At, text: str, hint: str | None = None) -> None:
        """One more; `text` is a sentence."""
        self._found.append((at, f"{text} {hint}" if hint else text))

    def where(self, at: At) -> str:
        """A place as editors and terminals understand it."""
        return f"{self.file}:{at[0]}:{at[1]}"

    def tell(self) -> None:
        """Raise `BadConfiguration` if there were any, in the order of the file."""
        lines = [f"{self.where(at)}: {text}" for at, text in sorted(set(self._found))]
        if len(lines) == 1:
            raise BadConfiguration(lines[0])
        if lines:
            count = f"{self.file} has {len(lines)} problems:"
            raise BadConfiguration("\n  ".join([count, *lines]))


def shown(path: Path) -> str:
    """A path as short as it can be clicked on: from the working directory if it lies there."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
