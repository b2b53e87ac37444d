"""The project: the folder that relative paths are taken from, and what penstock keeps in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock.errors import BadConfiguration, StackError
from penstock.model.user import config_folder

FILE: Final = "penstock.yaml"
FOLDER: Final = ".penstock"
MARKS: Final = ((FILE,), (f"{FOLDER}/",), ("pyproject.toml", ".git"))
"""What makes a folder the root. Each group is looked for all the way up before the next one."""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of the user's. Looking at it writes nothing."""

    root: Path
    """Absolute."""

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """The project that `start`, by default the working directory, lies in."""
        start = Path(os.path.abspath(start)) if start else _working_directory()
        for marks in MARKS:
            for folder in (start, *start.parents):
                if any(os.path.lexists(f"{folder}/{mark}") for mark in marks):
                    return cls(folder)
        return cls(start)

    @property
    def file(self) -> Path:
        """The committed configuration."""
        return self.root / FILE

    @property
    def folder(self) -> Path:
        """Where this checkout keeps what is never committed."""
        return self.root / FOLDER

    @property
    def active(self) -> str | None:
        """The stack that `penstock stack set` chose for this checkout."""
        try:
            text = (self.folder / "active").read_text("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise BadConfiguration(
                f"{self.folder / 'active'} cannot be read: {error.strerror}."
            ) from error
        return text.strip() or None

    def prepared(self) -> Path:
        """`folder`, made if need be, with a `.gitignore` that keeps all of it out of git."""
        try:
            self.folder.mkdir(exist_ok=True)
            with open(self.folder / ".gitignore", "x", encoding="utf-8") as file:
                file.write("*\n")
        except FileExistsError:
            if not self.folder.is_dir():
                raise StackError(
                    f"{self.folder} is in the way: penstock keeps its files in a folder of that "
                    "name."
                ) from None
        except OSError as error:
            raise StackError(f"{self.folder} cannot be written: {error.strerror}.") from error
        return self.folder

    def choose(self, stack: str) -> None:
        """Make `stack` this checkout's active one."""
        temp = self.prepared() / f"active.{os.getpid()}-{os.urandom(4).hex()}"
        try:
            temp.write_text(f"{stack}\n", "utf-8")
            os.replace(temp, self.folder / "active")
        except OSError as error:
            temp.unlink(missing_ok=True)
            raise StackError(
                f"{self.folder / 'active'} cannot be written: {error.strerror}."
            ) from error

    def unchoose(self) -> None:
        """Leave it to others again which stack is this checkout's active one."""
        try:
            (self.folder / "active").unlink(missing_ok=True)
        except OSError as error:
            raise StackError(
                f"{self.folder / 'active'} cannot be removed: {error.strerror}."
            ) from error


def user_file() -> Path | None:
    """The user's own penstock.yaml, for all projects; None for a user without a home."""
    folder = config_folder()
    return folder / FILE if folder else None


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise StackError(
            "The working directory does not exist any more.", hint="cd to one that does."
        ) from error
