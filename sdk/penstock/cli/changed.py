"""What is said of an edit of a file: what, how, where, and the line that takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.api.ending import remark, say
from penstock.cli.output import print_json
from penstock.stack.changing.change import Change


def told(changes: Sequence[Change], more: dict[str, Any] | None = None, *, as_json: bool) -> None:
    """A line for each, and of what was there before, how it comes back. With `more`, as JSON."""
    if as_json:
        print_json({**(more or {}), "changes": [change.to_data() for change in changes]})
        return
    for change in changes:
        say(str(change))
        if change.undo and change.how != "registered":
            say(f"To undo that: {change.undo}")
        for text in change.remarks:
            remark(text)
