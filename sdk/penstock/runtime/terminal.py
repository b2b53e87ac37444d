"""Text on its way to a person: in characters that the stream can show, and no others."""

from __future__ import annotations

import os
import re
from typing import Final, TextIO

_ALIKE: Final = str.maketrans({"…": "...", "·": "-", "→": "->", "–": "-", "×": "x"})
_UNSEEN: Final = re.compile(
    r"(\x1b\[[0-9;]*m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
"""A colour, or another control character than tab and newline, or one that turns the direction of
what follows it: a text could look like another one."""


def write(text: str, stream: TextIO, *, colours: bool = False) -> None:
    """Write what `fitting` makes of it, and flush."""
    stream.write(fitting(text, stream, colours=colours))
    stream.flush()


def fitting(text: str, stream: TextIO, *, colours: bool = False) -> str:
    """The text as it is written there.

    Control characters are escaped: names, messages and logs come out of a store, and a terminal
    would obey them. Of these, colours are dropped, or kept on request. Where the encoding lacks a
    symbol of ours it is spelled in ASCII, and anything else is escaped.
    """
    seen = _UNSEEN.sub(lambda found: _escaped(found, colours), text)
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        seen.encode(encoding)
    except UnicodeEncodeError:
        return seen.translate(_ALIKE).encode(encoding, "backslashreplace").decode(encoding)
    return seen


def has_colours(stream: TextIO) -> bool:
    """Whether colours are welcome there: on a terminal, unless NO_COLOR or TERM says otherwise.

    Raises `ValueError` for a stream that is closed.
    """
    return (
        stream.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") not in (None, "", "dumb")
    )


def _escaped(found: re.Match[str], colours: bool) -> str:
    if found[1]:
        return found[1] if colours else ""
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
