"""A text by its lines: where new ones go, and which ones belong to what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from penstock.stack.changing.editing.outline import Outline, Piece, Span

MODELINE: Final = re.compile(r"#\s*yaml-language-server\b")


class CannotEdit(Exception):
    """The text is written in a way that an edit would spoil; says which way, after "since"."""


class Splice(NamedTuple):
    """`text` instead of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Page:
    """The text that is being edited."""

    outline: Outline

    @property
    def text(self) -> str:
        return self.outline.text

    @cached_property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @cached_property
    def unit(self) -> str:
        """By how much each level is indented: like the first one that is."""
        for piece in self.outline.root.parts if self.outline.root else ():
            if piece.kind == "mapping" and not piece.flow and (width := self.column(piece)):
                return " " * width
        return "  "

    def spliced(self, splices: Iterable[Splice]) -> str:
        parts, at = [], 0
        for start, end, new in sorted(splices, key=lambda splice: splice.start):
            parts += [self.text[at:start], new]
            at = end
        return "".join([*parts, self.text[at:]])

    def line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Behind the line break; or where the text ends."""
        return self.text.find("\n", at) + 1 or len(self.text)

    def column(self, piece: Piece) -> int:
        """How far the parts of a block are indented."""
        first = piece.spans[0][0]
        return first - self.line_start(first)

    def pad(self, at: int) -> str | None:
        """The white space before `at`, if nothing else is on its line there."""
        before = self.text[self.line_start(at) : at]
        return before if not before.strip() else None

    def is_blank(self, at: int) -> bool:
        """Whether the line that begins at `at` is empty."""
        return at < len(self.text) and not self.text[at : self.line_end(at)].strip()

    def tail(self, end: int, column: int) -> int:
        """Behind the line of `end`, and behind comments below it that are indented so far."""
        at = found = self.line_end(end)
        while at < len(self.text):
            line = self.text[at : self.line_end(at)]
            bare = line.lstrip()
            if bare and (not bare.startswith("#") or len(line) - len(bare) < column):
                break
            at = self.line_end(at)
            found = at if bare else found
        return found

    def block_span(self, piece: Piece, index: int) -> Span:
        """The lines of one part of a block: with its own comments, without those above it."""
        first, end = piece.spans[index]
        if self.pad(first) is None:
            raise CannotEdit("it begins in the middle of a line")
        start, stop = self.line_start(first), self.tail(end, first - self.line_start(first) + 1)
        if index and index == len(piece.parts) - 1:  # the empty lines above set it apart
            above = self.line_end(piece.spans[index - 1][1])
            while start > above and self.is_blank(self.line_start(start - 1)):
                start = self.line_start(start - 1)
        elif not start or self.is_blank(self.line_start(start - 1)):
            while self.is_blank(stop):
                stop = self.line_end(stop)
        if stop == len(self.text) and not self.text.endswith("\n"):  # nor does it afterwards
            start = max(0, start - len(self.newline))
        return start, stop

    def above(self, at: int) -> int:
        """Where the comment begins that stands directly above the line of `at`."""
        start = self.line_start(at)
        while start:
            line = self.text[self.line_start(start - 1) : start].strip()
            if not line.startswith("#") or MODELINE.match(line):
                break
            start = self.line_start(start - 1)
        return start

    def is_top(self, at: int) -> bool:
        """Whether nothing is above that anybody wrote for readers."""
        lines = self.text[: self.line_start(at)].splitlines()
        return all(not line.strip() or line == "---" or MODELINE.match(line) for line in lines)

    def inserted(self, at: int, lines: Iterable[str]) -> Splice:
        """New lines at the beginning of a line, or behind a last one that has no line break."""
        if at and self.text[at - 1] != "\n":
            return Splice(at, at, "".join(f"{self.newline}{line}" for line in lines))
        return Splice(at, at, "".join(f"{line}{self.newline}" for line in lines))

    def are_apart(self, piece: Piece) -> bool:
        """Whether the parts of a block stand with empty lines between them."""
        gaps = zip(piece.spans, piece.spans[1:], strict=False)
        between = [self.text[end:start] for (_, end), (start, _) in gaps]
        return bool(between) and all(re.search(r"\n\s*?\n", gap) for gap in between)

    def comments(self, start: int, end: int) -> bool:
        """Whether a comment begins there."""
        return any(start <= at < end for at, _ in self.outline.comments)
