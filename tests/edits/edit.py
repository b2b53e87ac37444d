"""An edit: what is changed in a project between two processes, and what must run again for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Change = Callable[[Path], None]
"""Changes a project that lies in a folder."""


@dataclass(frozen=True)
class Edit:
    """A change of a project, and the steps that must run again for it."""

    part: str
    """Name of the module whose steps are run."""
    changes: Sequence[Change]
    runs: frozenset[str] = frozenset()
    """Steps that give something else after the change, or may do so."""
    exactly: bool = True
    """Whether no other step may run; else any may."""
    same: bool = False
    """Whether the steps give the same as before, though nobody can tell without running them."""
    before: Sequence[Change] = ()
    """Changes of the project that are made before its first run."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The environment of the second process."""
    command: Sequence[str] = ()
    """Options of the second Python."""


@dataclass(frozen=True)
class Outcome:
    """What a process said: see the project's `main.py`."""

    ran: frozenset[str]
    got: Mapping[str, Any]
    meant: Mapping[str, Any]


def edit(part: str, file: str, old: str, new: str, *runs: str, **more: Any) -> Edit:
    """The most common edit: one text of one file."""
    return Edit(part, [replaced(file, old, new)], frozenset(runs), **more)


def complaints(edit: Edit, before: Outcome, after: Outcome) -> list[str]:
    """What is wrong with an outcome: hits that are false, misses that are, or the table itself."""
    found = [
        f"false hit: {name} gives {after.got[name]!r}, and means {meant!r}"
        for name, meant in after.meant.items()
        if after.got[name] != meant
    ]
    found += [f"false hit: {name} was not run" for name in sorted(edit.runs - after.ran)]
    if edit.exactly:
        found += [f"false miss: {name} was run" for name in sorted(after.ran - edit.runs)]
    if edit.runs and not edit.same and before.meant == after.meant:
        found.append("no edit: every step gives what it gave before")
    return found


def replaced(file: str, old: str, new: str) -> Change:
    """A text that occurs in a file, replaced wherever it does."""

    def change(folder: Path) -> None:
        path = folder / file
        text = path.read_text("utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new), "utf-8")

    return change


def added(file: str, text: str) -> Change:
    """Text at the end of a file, which is made if it is not there."""

    def change(folder: Path) -> None:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as end:
            end.write(text)

    return change


def moved(old: str, new: str) -> Change:
    """A file under another name."""

    def change(folder: Path) -> None:
        (folder / new).parent.mkdir(parents=True, exist_ok=True)
        (folder / old).rename(folder / new)

    return change
