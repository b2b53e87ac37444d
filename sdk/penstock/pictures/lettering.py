"""Text for pictures and pages: escaped, measured, shortened."""

from __future__ import annotations

import re
from html import escape
from typing import Final
from unicodedata import combining, east_asian_width

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""What XML forbids, what nobody sees, and what turns the direction of the text around it."""


_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


def colourless(text: str) -> str:
    """What was meant for a terminal, without colours."""
    return _COLOUR.sub("", text)


def escaped(text: object) -> str:
    """As text of an element or an attribute, in HTML and in XML. It can never be anything else."""
    return escape(_UNSEEN.sub(_spelled, str(text).replace("\r\n", "\n")))


def cells(text: str) -> int:
    """How wide it is in a font whose letters are all equally wide."""
    if text.isascii():
        return len(text)
    return sum(_cells(letter) for letter in text)


def shortened(text: str, most: int) -> str:
    """At most so many cells: of a longer text the beginning and the end, which has the number."""
    text = " ".join(_UNSEEN.sub(_spelled, text).split())
    if cells(text) <= most:
        return text
    tail = _cut(text[::-1], most // 3)[::-1]
    return f"{_cut(text, most - 1 - cells(tail))}…{tail}"


def _cut(text: str, most: int) -> str:
    """As many letters as fit."""
    room = most
    for i, letter in enumerate(text):
        room -= _cells(letter)
        if room < 0:
            return text[:i]
    return text


def _cells(letter: str) -> int:
    if combining(letter):
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
