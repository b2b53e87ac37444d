"""What a picture is drawn of: steps and what they wait for, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Node:
    """One step."""

    id: str
    status: str = ""
    """What became of it, in the words of `look`; empty for what has not been run."""
    seconds: float = 0.0
    """How long it took."""
    attempt: int = 1
    note: str = ""
    """What else is to be said: why it failed, where it is cached from."""


class Edge(NamedTuple):
    """One step waits for another."""

    up: str
    down: str
    silent: bool = False
    """Whether nothing is handed on: the order alone is asked for."""
