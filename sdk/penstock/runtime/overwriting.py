"""Overwriting: a line that was written over with carriage returns has the last of its states."""

from __future__ import annotations

import re
from typing import Final

# Both are anchored at something rare: looking for them must not cost more than reading the text.
_OVERWRITTEN: Final = re.compile(rb"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)
_AT_THE_END: Final = re.compile(rb"(?<!\r)\r+(?=\n)")


def shown(text: bytes) -> bytes:
    """What can still be seen of a whole text: the last state of each line."""
    if b"\r" not in text:
        return text
    return _OVERWRITTEN.sub(b"", _AT_THE_END.sub(b"", text.rstrip(b"\r")))


def shortened(piece: bytes) -> bytes:
    """A piece of a text with no more of it than `shown` needs to see of the whole.

    Its first line may go on with what came before, and the return that overwrites it stays.
    """
    if b"\r" not in piece:
        return piece
    piece = _AT_THE_END.sub(b"", piece)
    return _OVERWRITTEN.sub(lambda found: b"" if found.start() else b"\r", piece)
