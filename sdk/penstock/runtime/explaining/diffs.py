"""Diffs: what was edited in a piece of a file, with the lines' real numbers."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import Final

_HUNK: Final = re.compile(r"@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@")

LONGEST: Final = 5_000
"""Lines of a piece from which comparing them takes too long to be waited for."""


def unified(old: str, new: str, names: tuple[str, str], first: tuple[int, int]) -> str:
    """The edit from `old` to `new`, which begin at these lines of these files."""
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > LONGEST:
        return ""
    lines = unified_diff(before, after, *names, lineterm="")
    return "\n".join(_placed(line, first) for line in lines)


def _placed(line: str, first: tuple[int, int]) -> str:
    """The head of a hunk with the numbers that the lines have in their files."""
    found = _HUNK.fullmatch(line)
    if found is None:
        return line
    old, new = int(found[1]) + max(first[0], 1) - 1, int(found[3]) + max(first[1], 1) - 1
    return f"@@ -{old}{found[2]} +{new}{found[4]} @@"
