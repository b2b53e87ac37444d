"""Edits within brackets: `{key: value}` and `[item, item]`, on one line or on several."""

from __future__ import annotations

import re
from typing import Any, Final

from penstock.stack.changing.editing.outline import Piece
from penstock.stack.changing.editing.page import Page, Splice
from penstock.stack.changing.editing.yaml_text import flow

_COMMA: Final = re.compile(r"(?:\s|(?<=\s)#[^\n]*)*(,)")


def added(page: Page, piece: Piece, key: str | int, value: Any) -> list[Splice]:
    """One part more, at the end; on a line of its own if the others are."""
    new = flow(value) if isinstance(key, int) else f"{flow(key)}: {flow(value)}"
    if not piece.parts:
        return [Splice(piece.end - 1, piece.end - 1, new)]
    first, end = piece.spans[-1]
    pad = page.pad(first)
    if pad is None or "\n" not in page.text[end : piece.end]:
        return [Splice(end, end, f", {new}")]
    comma = _COMMA.match(page.text, end, piece.end)
    behind = comma.end() if comma else end
    at = behind + len(page.text[behind : page.line_end(behind)].rstrip("\r\n"))
    if comma:
        return [Splice(at, at, f"{page.newline}{pad}{new},")]
    return [Splice(end, end, ","), Splice(at, at, f"{page.newline}{pad}{new}")]


def dropped(page: Page, piece: Piece, index: int) -> list[Splice]:
    """One part less, and one comma."""
    first, end = piece.spans[index]
    if comma := _COMMA.match(page.text, end, piece.end):
        stop = comma.end()
        while page.text[stop] in " \t":
            stop += 1
        return [_whole_lines(page, first, stop)]
    if not index:
        return [_whole_lines(page, first, end)]
    before = piece.spans[index - 1][1]
    comma = _COMMA.match(page.text, before, first)
    at = comma.start(1) if comma else before
    if page.text[at + 1 : first].strip(" \t") == "":
        return [Splice(at, end, "")]
    return [Splice(at, at + 1, ""), _whole_lines(page, first, end)]


def _whole_lines(page: Page, start: int, stop: int) -> Splice:
    """The same, with its line break if nothing else stands on its lines."""
    if page.pad(start) is not None and not page.text[stop : page.line_end(stop)].strip():
        return Splice(page.line_start(start), page.line_end(stop), "")
    return Splice(start, stop, "")
