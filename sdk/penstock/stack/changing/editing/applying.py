"""One edit of plain data, carried out on the text that says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.stack.changing.editing import blocks, brackets
from penstock.stack.changing.editing.differences import Edit, Path
from penstock.stack.changing.editing.outline import Outline, Piece
from penstock.stack.changing.editing.page import CannotEdit, Page, Splice
from penstock.stack.changing.editing.yaml_text import flow


def applied(outline: Outline, edit: Edit, target: Any) -> str:
    """The text after `edit`; `target` is all that it is to say in the end. Raises `CannotEdit`."""
    page = Page(outline)
    if outline.root is None:
        return page.spliced(blocks.begun(page, edit.value))
    edit, pieces = _found(outline.root, edit, target)
    return page.spliced(_splices(page, edit, pieces))


def piece_at(root: Piece, path: Path) -> Piece | None:
    """What is written at `path` itself."""
    piece = root
    for step in path:
        if piece.kind == "alias" or (index := piece.index(step)) is None:
            return None
        piece = piece.parts[index]
    return piece


def _found(root: Piece, edit: Edit, target: Any) -> tuple[Edit, list[Piece]]:
    """The edit as it can be done here, and the pieces on the way to it. What comes from elsewhere,
    by an alias or `<<`, is written out here first."""
    pieces = [root]
    steps = edit.path[:-1] if edit.kind == "add" else edit.path
    for depth, step in enumerate(steps):
        if pieces[-1].kind == "alias":
            break
        index = pieces[-1].index(step)
        if index is None:
            if edit.kind == "drop" and depth == len(steps) - 1:
                raise CannotEdit(f"{step!r} comes from another entry, by '<<'")
            path = edit.path[: depth + 1]
            return Edit("add", path, _value(target, path)), pieces
        pieces.append(pieces[-1].parts[index])
    if pieces[-1].kind == "alias" and (edit.kind == "add" or len(pieces) <= len(steps)):
        path = edit.path[: len(pieces) - 1]
        return Edit("set", path, _value(target, path)), pieces
    return edit, pieces


def _value(target: Any, path: Path) -> Any:
    for step in path:
        target = target[step]
    return target


def _splices(page: Page, edit: Edit, pieces: list[Piece]) -> Sequence[Splice]:
    if edit.kind == "add":
        step = edit.path[-1]
        if pieces[-1].flow:
            return brackets.added(page, pieces[-1], step, edit.value)
        return [blocks.added(page, pieces[-1], step, edit.value, len(edit.path))]
    if edit.kind == "drop":
        index = _index(pieces[-2], edit.path[-1])
        if pieces[-2].flow:
            return brackets.dropped(page, pieces[-2], index)
        return blocks.dropped(page, pieces[-2], index, _colon(pieces[:-1], edit.path[:-1]))
    return blocks.refuse_comments(page, _set(page, edit, pieces))


def _set(page: Page, edit: Edit, pieces: list[Piece]) -> Sequence[Splice]:
    piece, colon, value = pieces[-1], _colon(pieces, edit.path), edit.value
    if isinstance(value, dict) and value and _says_nothing(page, piece):
        if not edit.path:
            return blocks.begun(page, value)
        if colon is not None and pieces[-2].is_block:
            first = pieces[-2].spans[_index(pieces[-2], edit.path[-1])][0]
            return blocks.filled(page, piece, first, colon, value, len(edit.path))
    if piece.is_block:
        return blocks.replaced(page, piece, colon, value)
    if not piece.is_empty:
        return [Splice(piece.head, piece.end, flow(value, piece.style))]
    has_colon = colon is None or page.text[colon - 1] == ":"
    at = piece.end if colon is None else max(colon, piece.end)
    return [Splice(at, at, f"{'' if has_colon else ':'} {flow(value)}")]


def _says_nothing(page: Page, piece: Piece) -> bool:
    """Whether null stands there, or empty brackets."""
    if piece.kind == "scalar":
        return not piece.style and page.text[piece.head : piece.end].lower() in ("", "~", "null")
    return piece.flow and not piece.parts


def _colon(pieces: list[Piece], path: Path) -> int | None:
    """Behind the key of the last piece, if it has one."""
    if not path or isinstance(path[-1], int):
        return None
    return pieces[-2].colons[_index(pieces[-2], path[-1])]


def _index(piece: Piece, step: str | int) -> int:
    index = piece.index(step)
    assert index is not None  # `_found` has been there
    return index
