"""What a text is to say after an edit, as plain data."""

from __future__ import annotations

from typing import Any

from penstock.stack.changing.editing.applying import piece_at
from penstock.stack.changing.editing.outline import Outline
from penstock.stack.changing.editing.page import Page

Way = tuple[str, ...]
"""Keys that lead to an entry: a section and a name, for example."""


def with_entry(says: dict[str, Any], way: Way, value: Any) -> dict[str, Any]:
    """The same, and `value` at `way`."""
    key, *rest = way
    if rest:  # a heading with nothing below it is null
        value = with_entry(says.get(key) or {}, tuple(rest), value)
    return says | {key: value}


def without_entry(says: dict[str, Any], way: Way, outline: Outline) -> dict[str, Any]:
    """The same, and nothing at `way`; nor its heading, if that has lost its purpose."""
    heading: Any = says
    for key in way[:-1]:
        heading = heading[key]
    left = {key: value for key, value in heading.items() if key != way[-1]}
    if len(way) == 1:
        return left
    if not left and _is_bare_heading(Page(outline), way):
        return without_entry(says, way[:-1], outline)
    return with_entry(says, way[:-1], left)


def _is_bare_heading(page: Page, way: Way) -> bool:
    """Whether no comment is lost if the heading above the entry at `way` goes as well."""
    root = page.outline.root
    outer = piece_at(root, way[:-2]) if root else None
    heading = piece_at(root, way[:-1]) if root else None
    if outer is None or heading is None or not (outer.is_block and heading.parts):
        return False
    start, stop = page.block_span(outer, outer.keys.index(way[-2]))
    index = heading.keys.index(way[-1]) if way[-1] in heading.keys else 0
    first, end = page.block_span(heading, index) if heading.is_block else heading.spans[index]
    return not page.comments(start, first) and not page.comments(end, stop)
