"""Units: the single things of the project that code reaches, and a fingerprint of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

DOCSTRINGS: Final = 1
SOURCE: Final = 2
"""What code may read of other code, the second with all of the first."""


class Unit(NamedTuple):
    """One thing that code reaches: if its digest is another, the code is."""

    name: str
    """`module:qualname` of a function or class, `module.NAME` of data, `module` of a whole file."""
    digest: str
    kind: str
    """"function", "class", "data" or "module"."""
    file: str = ""
    """Where it is written; empty if nobody knows."""
    first: int = 0
    """Line in that file, from 1; 0 if there is none."""
    last: int = 0
    note: str = ""
    """Of data its value, of a module why all of it counts: for people."""


Key = tuple[str, str]
"""Kind and name of a thing."""


class Thing(NamedTuple):
    """What code leads to, before anybody has looked at it."""

    kind: str
    """As of units, and "source": a whole file that is not loaded, or counts as if it were not."""
    name: str
    """That of the unit."""
    target: Any
    """The function, class or module; of data the names among which it is, and its own."""
    note: str = ""

    @property
    def key(self) -> Key:
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Node:
    """A unit, and where it leads."""

    unit: Unit
    leads: tuple[Thing, ...]
    packages: frozenset[str]
    """Top-level modules of the installed distributions that it reaches by itself."""
    thing: Thing
    """What was looked at."""
    reads: int = 0
    """What it may read of whatever is reached: nothing, docstrings, or all of the source."""

    def is_like(self, other: Node) -> bool:
        """Whether another node says the same, and leads to the very same."""
        return self is other or (
            self.unit == other.unit
            and self.packages == other.packages
            and self.reads == other.reads
            and len(self.leads) == len(other.leads)
            and all(map(_is_same, self.leads, other.leads))
        )


def _is_same(one: Thing, other: Thing) -> bool:
    if type(one.target) is tuple and type(other.target) is tuple:  # of data
        return one.key == other.key and one.target[0] is other.target[0]
    return one.key == other.key and one.target is other.target


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the code of a step does, as far as the project's own files say."""

    digest: str
    """Of the names and digests of the units."""
    units: tuple[Unit, ...]
    """All that is reached, by name; the function itself is one of them."""
    packages: Mapping[str, str]
    """Versions of Python and of the installed distributions that any unit reaches."""
