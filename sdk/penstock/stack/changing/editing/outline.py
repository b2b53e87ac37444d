"""Where everything stands in a YAML text: offsets of values, of what holds them, of comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Span = tuple[int, int]
"""Offsets: of the first character, and behind the last one."""

_PROPERTIES: Final = re.compile(r"(?:(?:&[^\s,\[\]{}]+|!<[^>]*>|![^\s,\[\]{}]*)\s*)*")
_ALIAS: Final = re.compile(r"(?:[\s:,?\[{-]|(?<=\s)#[^\n]*)*(\*[^\s,\[\]{}]+)")
_COLON: Final = re.compile(r"\s*:")
_GAP: Final = re.compile(r"(?:\s|(?<=\s)#[^\n]*)*")
_COMMENT: Final = re.compile(r"(?:(?<=\s)|(?<!.))#[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A value as it is written."""

    kind: str
    """`mapping`, `sequence`, `scalar` or `alias`."""
    start: int
    """Where it begins, with its anchor and tag."""
    head: int
    """Where the value itself begins, behind anchor and tag."""
    end: int
    """Behind its last character that is no comment and no empty line."""
    style: str = ""
    """Of a scalar: its quote, `|` or `>`; nothing if it is plain."""
    flow: bool = False
    """Whether it is written in brackets."""
    keys: tuple[str, ...] = ()
    """Of a mapping, as text."""
    parts: tuple[Piece, ...] = ()
    """The values in it."""
    spans: tuple[Span, ...] = ()
    """Of each part, with its key or its dash."""
    colons: tuple[int, ...] = ()
    """Of a mapping: behind each key."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written there at all."""
        return self.kind == "scalar" and self.head == self.end

    @property
    def is_block(self) -> bool:
        """Whether its parts stand on lines of their own."""
        return self.kind in ("mapping", "sequence") and not self.flow

    def index(self, step: str | int) -> int | None:
        """Which part `step` names; None for a key that comes from elsewhere, through `<<`."""
        if isinstance(step, int):
            return step
        return self.keys.index(step) if step in self.keys else None


@dataclass(frozen=True, slots=True)
class Outline:
    """A text and what stands where in it."""

    text: str
    root: Piece | None
    comments: tuple[Span, ...]

    @classmethod
    def of(cls, text: str, raw: Any) -> Outline:
        """From ruamel's nodes of that text; None if there is no document."""
        drawer = _Drawer(text)
        root = drawer.piece(raw, 0) if raw else None
        return cls(text, root, tuple(drawer.comments()))


class _Drawer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._seen: set[int] = set()
        self._scalars: list[Span] = []

    def piece(self, raw: Any, after: int) -> Piece:
        """What is written for `raw`, which stands somewhere behind `after`."""
        if id(raw) in self._seen and (alias := _ALIAS.match(self._text, after)):
            return Piece("alias", alias.start(1), alias.start(1), alias.end(1))
        self._seen.add(id(raw))
        start, end = raw.start_mark.index, raw.end_mark.index
        if raw.id == "scalar":
            return self._scalar(raw, start, end)
        return self._collection(raw, start, end)

    def _scalar(self, raw: Any, start: int, end: int) -> Piece:
        style = raw.style or ""
        head = min(self._behind_properties(start), end)
        first = head
        if style in ("|", ">"):
            first = self._text.find("\n", head, end)  # its first line may bear a comment
            first = end if first < 0 else first
            written = self._text[start:end]
            if "+" in self._text[head:first]:  # empty lines at its end are part of it
                end = start + len(written.removesuffix("\n").removesuffix("\r"))
            else:
                end = start + len(written.rstrip())
            first = min(first, end)
        self._scalars.append((first, end))
        return Piece("scalar", start, head, end, style)

    def _collection(self, raw: Any, start: int, end: int) -> Piece:
        flow = bool(raw.flow_style)
        head = self._behind_properties(start) if flow or raw.anchor else start
        parts: list[Piece] = []
        keys: list[str] = []
        spans: list[Span] = []
        colons: list[int] = []
        at = head + flow
        for item in raw.value:
            if raw.id == "mapping":
                key = self.piece(item[0], at)
                keys.append(str(item[0].value))
                colons.append(self._behind_colon(key.end))
                first, part = key.start, _moved(self.piece(item[1], key.end), colons[-1])
            else:
                dash = self._behind_gap(at)
                part = self.piece(item, at if flow else dash + 1)
                part = part if flow else _moved(part, dash + 1)
                first = part.start if flow else dash
            at = part.end
            parts.append(part)
            spans.append((first, at))
        return Piece(
            raw.id, start, head, end if flow else at, "", flow,
            tuple(keys), tuple(parts), tuple(spans), tuple(colons),
        )  # fmt: skip

    def _behind_properties(self, at: int) -> int:
        found = _PROPERTIES.match(self._text, at)
        return at + len(found[0].rstrip()) if found and found[0] else at

    def _behind_colon(self, at: int) -> int:
        found = _COLON.match(self._text, at)
        return found.end() if found else at

    def _behind_gap(self, at: int) -> int:
        found = _GAP.match(self._text, at)
        return found.end() if found else at

    def comments(self) -> Iterator[Span]:
        """Each comment: a '#' that stands in no scalar."""
        at = 0
        for start, end in [*sorted(self._scalars), (len(self._text), len(self._text))]:
            for found in _COMMENT.finditer(self._text, at, max(at, start)):
                yield found.span()
            at = max(at, end)


def _moved(piece: Piece, to: int) -> Piece:
    """Where nothing is written, the parser points at what comes next."""
    return Piece("scalar", to, to, to) if piece.start == piece.end else piece
