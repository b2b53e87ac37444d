"""Links of a tree: those that lead to something that travels as well stay links."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from penstock.runtime.bundle.archive import Member
from penstock.runtime.bundle.tree import Leaf


class Links:
    """Where links lead, among these leaves."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        self._there = {place for leaf in leaves for place in _with_above(leaf.place)}

    def member(self, leaf: Leaf) -> Member | None:
        """The link as it is in the archive; None if it leads to nothing there."""
        if not os.path.exists(leaf.path):  # or it leads to itself
            return None
        folder = os.path.realpath(leaf.tree.folder)
        target = os.path.relpath(os.path.realpath(leaf.path), folder)
        if f"{leaf.tree.place}/{target}" not in self._there and target != ".":
            return None
        return Member(leaf.place, link=_text(leaf, target))


def _text(leaf: Leaf, target: str) -> str:
    """As it is written, unless that is of this machine, or passes through other links."""
    written = os.readlink(leaf.path)
    above = os.path.dirname(leaf.name)
    if not os.path.isabs(written) and os.path.normpath(os.path.join(above, written)) == target:
        return written
    return os.path.relpath(target, above or ".")


def _with_above(place: str) -> Iterator[str]:
    while place:
        yield place
        place = place.rpartition("/")[0]
