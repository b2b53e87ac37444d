"""Complaints about a file: collected, so that they are told all at once."""

from __future__ import annotations

from pathlib import Path

from penstock.errors import BadConfiguration, StackError

At = tuple[int, int]
"""Line and column, both from 1."""


class Complaints:
    """What is wrong with one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[tuple[At, str]] = []
        self._kinds: set[type[StackError]] = set()

    def add(
        self,
        at: At,
        text: str,
        hint: str | None = None,
        kind: type[StackError] = BadConfiguration,
    ) -> None:
        """One more; `text` is a sentence. If all are of one kind, that is what is raised."""
        self._found.append((at, f"{text} {hint}" if hint else text))
        self._kinds.add(kind)

    def where(self, at: At) -> str:
        """A place as editors and terminals understand it."""
        return f"{self.file}:{at[0]}:{at[1]}"

    def tell(self) -> None:
        """Raise `BadConfiguration` if there were any, in the order of the file."""
        lines = [f"{self.where(at)}: {text}" for at, text in sorted(set(self._found))]
        if not lines:
            return
        kind = next(iter(self._kinds)) if len(self._kinds) == 1 else BadConfiguration
        if len(lines) == 1:
            raise kind(lines[0])
        error = kind("\n  ".join([f"{self.file} has {len(lines)} problems:", *lines]))
        error.problems = tuple(map(kind, lines))
        raise error


def shown(path: Path) -> str:
    """A path as short as it can be clicked on: from the working directory if it lies there."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
