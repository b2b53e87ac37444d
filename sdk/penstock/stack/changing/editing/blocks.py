"""Edits of blocks: mappings and lists whose parts stand on lines of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from penstock.stack.categories import KNOWN
from penstock.stack.changing.editing.outline import Piece
from penstock.stack.changing.editing.page import CannotEdit, Page, Splice
from penstock.stack.changing.editing.yaml_text import block, flow

DEEP: Final = 100
"""Levels: all of them."""


def added(page: Page, piece: Piece, key: str | int, value: Any, depth: int) -> Splice:
    """One part more, at the end; a section where sections of its kind stand."""
    width = page.column(piece)
    pad = page.pad(piece.spans[0][0])
    pad = " " * width if pad is None else pad
    lines = _lines(page, piece, key, value, depth, pad)
    apart = page.are_apart(piece)
    if depth == 1:
        above = [index for index, name in enumerate(piece.keys) if _rank(name) <= _rank(str(key))]
        if not above:
            at = page.above(piece.spans[0][0])
            if page.is_top(at):  # a comment there is of the whole file
                at = page.line_start(piece.spans[0][0])
            return page.inserted(at, [*lines, *[""] * apart])
        if above[-1] != len(piece.keys) - 1:
            at = page.tail(piece.spans[above[-1]][1], 1)
            return page.inserted(at, [*[""] * apart, *lines])
    return page.inserted(page.tail(piece.end, width), [*[""] * apart, *lines])


def filled(
    page: Page, piece: Piece, first: int, colon: int, value: dict[str, Any], depth: int
) -> list[Splice]:
    """Lines below a key, which begins at `first`, that had null or empty brackets behind it."""
    column = first - page.line_start(first)
    pad = page.pad(first)
    pad = " " * column if pad is None else pad
    lines = [
        line
        for key, item in value.items()
        for line in block(key, item, pad + page.unit, page.unit, _levels(page, None, depth + 1))
    ]
    start = _behind(piece, colon)
    at = page.tail(piece.end, column + 1)
    return [Splice(start, max(piece.end, start), ""), page.inserted(at, lines)]


def begun(page: Page, value: dict[str, Any]) -> list[Splice]:
    """The first lines of a text that says nothing yet."""
    lines = [
        line
        for key, item in value.items()
        for line in block(key, item, "", page.unit, _levels(page, None, 1))
    ]
    piece = page.outline.root
    if piece is None:
        return [page.inserted(len(page.text), lines)]
    return [
        Splice(piece.start, piece.end, ""),
        page.inserted(page.tail(piece.end, 0), lines),
    ]


def dropped(page: Page, piece: Piece, index: int, colon: int | None) -> list[Splice]:
    """One part less. Of the only one, empty brackets stay; of the only section, nothing."""
    if len(piece.parts) > 1 or piece is page.outline.root:
        return [Splice(*page.block_span(piece, index), "")]
    return replaced(page, piece, colon, {} if piece.kind == "mapping" else [])


def replaced(page: Page, piece: Piece, colon: int | None, value: Any) -> list[Splice]:
    """Another value, on the line of the key, instead of a whole block."""
    first = piece.spans[0][0]
    if colon is None or page.pad(first) is None:
        return [Splice(first, piece.end, flow(value))]
    at = _behind(piece, colon)
    return [
        Splice(at, at, f" {flow(value)}"),
        Splice(page.line_start(first), page.line_end(piece.end), ""),
    ]


def _behind(piece: Piece, colon: int) -> int:
    """Where a value may begin on the line of its key."""
    return piece.head if piece.head > piece.start else colon


def _lines(
    page: Page, piece: Piece, key: str | int, value: Any, depth: int, pad: str
) -> Iterator[str]:
    if isinstance(key, int):
        yield f"{pad}- {flow(value)}"
    else:
        yield from block(key, value, pad, page.unit, _levels(page, piece, depth))


def _levels(page: Page, piece: Piece | None, depth: int) -> int:
    """How many levels of a new part stand on lines of their own: as those beside it do, or as
    entries of other sections do."""
    own = _filled(piece.parts) if piece and depth != 1 else []
    if own:
        return 0 if own[-1].flow else DEEP
    root = page.outline.root
    sections = zip(root.keys, root.parts, strict=False) if root else ()
    entries = [
        entry for key, section in sections if key != "flavors" for entry in _filled(section.parts)
    ]
    return max(0, 2 - depth) if entries and entries[-1].flow else DEEP


def _filled(parts: Sequence[Piece]) -> list[Piece]:
    return [part for part in parts if part.kind == "mapping" and part.parts]


def _rank(section: str) -> int:
    """Where a section usually stands: parts first, then what they are combined to."""
    order = ["active", *(kind.section for kind in KNOWN.values())]
    last = {"flavors": len(order) + 1, "stacks": len(order) + 2}
    return order.index(section) if section in order else last.get(section, len(order))


def refuse_comments(page: Page, splices: Sequence[Splice]) -> list[Splice]:
    """The same splices, if no comment would be lost through them."""
    if any(page.comments(start, end) for start, end, _ in splices):
        raise CannotEdit("comments stand within what would be replaced")
    return list(splices)
