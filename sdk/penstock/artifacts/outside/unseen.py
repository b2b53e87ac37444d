"""Why something outside of the store cannot be looked at."""

from __future__ import annotations


class Unseen(Exception):
    """What is wrong, as the end of a sentence: "there is nothing"."""


class Gone(Unseen):
    """There is nothing at this place, or not what could have been there."""


class Unreachable(Unseen):
    """Nobody can tell from here: no permission, no network, no library."""
