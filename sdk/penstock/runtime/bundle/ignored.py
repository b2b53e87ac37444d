"""`.penstockignore`: what a project does not want to be sent, in the words of `.gitignore`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from penstock.errors import BadConfiguration

FILE: Final = ".penstockignore"


class Ignored:
    """What the file in one folder says of the paths below it."""

    def __init__(self, folder: Path) -> None:
        self._spec: Any = None
        self._brings_back = False
        try:
            lines = (folder / FILE).read_text("utf-8", "surrogateescape").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise BadConfiguration(f"{folder / FILE} cannot be read: {error.strerror}.") from error
        self._spec = _spec(lines, folder)
        self._brings_back = any(line.startswith("!") for line in lines)

    def of(self, name: str) -> bool | None:
        """True if it is not wanted, False if it is wanted in spite of all (`!name`), else None."""
        if self._spec is None:
            return None
        found: bool | None = self._spec.check_file(name).include
        return found

    def whole(self, folder: str) -> bool:
        """Whether nothing in a folder is wanted, so that nobody has to look into it."""
        return not self._brings_back and self.of(f"{folder}/") is True


def _spec(lines: list[str], folder: Path) -> Any:
    from pathspec import GitIgnoreSpec  # only where a project has such a file

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise BadConfiguration(f"{folder / FILE}: {error}") from error
