"""A penstock.yaml that is being edited: what is meant changes, every other byte stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from penstock.errors import BadConfiguration
from penstock.stack.changing.editing.applying import applied
from penstock.stack.changing.editing.differences import differences
from penstock.stack.changing.editing.outline import Outline
from penstock.stack.changing.editing.page import CannotEdit
from penstock.stack.changing.editing.target import Way, with_entry, without_entry
from penstock.stack.changing.editing.yaml_text import by_hand, plain
from penstock.stack.complaints import Complaints, shown
from penstock.stack.configuration import Configuration
from penstock.stack.nodes import Node, composed
from penstock.stack.parsing import LARGEST
from penstock.stack.sections import Sections


@dataclass(frozen=True)
class _Read:
    """A text, and what it says and where."""

    text: str
    root: Node | None
    raw: Any
    """What `root` was read from."""
    says: dict[str, Any]

    @classmethod
    def of(cls, text: str, complaints: Complaints) -> _Read:
        root, raw = composed(text, complaints)
        says = root.plain() if root else None
        if isinstance(says, dict):
            return cls(text, root, raw, says)
        return cls(text, root, raw if says is None else None, {})

    @cached_property
    def outline(self) -> Outline:
        """Only who goes on to edit looks at it."""
        return Outline.of(self.text, self.raw)


class Document:
    """The text of a penstock.yaml and what it says. Nothing here is written to disk."""

    def __init__(self, text: str, path: Path) -> None:
        """Raises `BadConfiguration` with every complaint about the text."""
        self._path = path
        complaints = Complaints(shown(path))
        self._read = _Read.of(text, complaints)
        self._configuration = self._checked(self._read, complaints)

    @property
    def text(self) -> str:
        """As it is now."""
        return self._read.text

    @property
    def configuration(self) -> Configuration:
        """What the text says now."""
        return self._configuration

    def line(self, *way: str) -> int:
        """Where an entry stands in the text as it is now: `line("stacks", "prod")`."""
        return self._place(way)[0]

    def put(self, section: str, name: str, entry: Mapping[str, Any]) -> None:
        """Make this entry what stands there: at the end of its section, or changed in place."""
        self._put((section, name), entry)

    def remove(self, section: str, name: str) -> Mapping[str, Any]:
        """Take an entry out, with the comments in it. Returns what it said."""
        found: Mapping[str, Any] = self._remove((section, name))
        return found

    def put_flavor(self, category: str, name: str, target: str) -> None:
        """Name a class, "package.module:Class", as a flavor."""
        self._put(("flavors", category, name), target)

    def remove_flavor(self, category: str, name: str) -> str:
        """Take a flavor out. Returns its class."""
        found: str = self._remove(("flavors", category, name))
        return found

    def set_active(self, name: str | None) -> None:
        """Make a stack the default of this file; None: the file says nothing of that."""
        if name is not None:
            self._put(("active",), name)
        elif "active" in self._read.says:
            self._remove(("active",))

    def _put(self, way: Way, value: Any) -> None:
        try:
            value = plain(value)
            self._become(way, with_entry(self._read.says, way, value))
        except (CannotEdit, TypeError) as error:
            raise self._refusal(way, error, by_hand(way, value)) from error

    def _remove(self, way: Way) -> Any:
        found: Any = self._read.says
        for key in way:
            if not isinstance(found, dict) or key not in found:
                file = shown(self._path)
                raise BadConfiguration(f"{file} has no {way[-1]!r} in its section {way[0]!r}.")
            found = found[key]
        try:
            self._become(way, without_entry(self._read.says, way, self._read.outline))
        except CannotEdit as error:
            raise self._refusal(way, error, "Take it out by hand.") from error
        return found

    def _become(self, way: Way, target: dict[str, Any]) -> None:
        """Say `target`, edit by edit; each is read again at once. All of it or nothing."""
        read, texts = self._read, {self.text}
        while edit := next(differences(read.says, target), None):
            if any(one != other for one, other in zip(edit.path, way, strict=False)):
                raise CannotEdit("something else is tied to it, by an alias or '<<'")
            read = self._reread(applied(read.outline, edit, target))
            if read.text in texts:
                raise CannotEdit("it is written in a way that is not understood")
            texts.add(read.text)
        try:
            configuration = self._checked(read, Complaints(shown(self._path)))
        except BadConfiguration as error:
            raise type(error)(f"Nothing was written; it would not be right:\n  {error}") from error
        self._read, self._configuration = read, configuration

    def _reread(self, text: str) -> _Read:
        if len(text.encode(errors="replace")) > LARGEST:
            raise CannotEdit("the file would be larger than the 1 MiB that is read")
        complaints = Complaints(shown(self._path))
        read = _Read.of(text, complaints)
        try:
            complaints.tell()
        except BadConfiguration as error:
            raise CannotEdit(f"it would break the file, {error.message.rstrip('.')}") from error
        return read

    def _checked(self, read: _Read, complaints: Complaints) -> Configuration:
        found = Configuration(self._path)
        if read.root:
            found = Sections(self._path, complaints).configuration(read.root)
        complaints.tell()
        return found

    def _place(self, way: Way) -> tuple[int, int]:
        """Where the entry stands, or the last heading on the way to it."""
        node, at = self._read.root, (1, 1)
        for key in way:
            if node is None or not isinstance(node.value, dict) or key not in node.value:
                break
            node = node.value[key]
            at = node.key_at
        return at

    def _refusal(self, way: Way, error: Exception, hint: str) -> BadConfiguration:
        line, column = self._place(way)
        return BadConfiguration(
            f"{shown(self._path)}:{line}:{column}: {way[-1]!r} cannot be edited here: {error}. "
            "Nothing was written.",
            hint=hint,
        )
