"""Cards: what is drawn as one box, a step or the many equal ones that a `map` made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from penstock.pictures.lettering import cells, shortened
from penstock.pictures.look import LOOKS, look, worst
from penstock.pictures.node import Node
from penstock.quantities import duration

WIDEST: Final = 26
"""Letters of a name that are drawn; all of it is in the tooltip."""

LETTER: Final = 7.4
SMALL: Final = 6.3
"""Pixels of a letter in the two lines, in the widest of the usual fonts."""

TOLD: Final = 3
"""Members of a card whose failures its tooltip tells."""


@dataclass(frozen=True)
class Card:
    """One box."""

    name: str
    nodes: tuple[Node, ...]

    @property
    def many(self) -> bool:
        """Whether it stands for several steps."""
        return len(self.nodes) > 1

    @cached_property
    def counts(self) -> Counter[str]:
        """How many steps are in which state."""
        return Counter(node.status for node in self.nodes)

    @cached_property
    def status(self) -> str:
        """The worst state among them; empty if nothing has been run."""
        return worst(self.counts)[0]

    @cached_property
    def label(self) -> str:
        """The line with the name."""
        if not self.many:
            return shortened(self.name, WIDEST)
        count = f" × {len(self.nodes):,}"
        return shortened(self.name, WIDEST - len(count)) + count

    @cached_property
    def line(self) -> str:
        """The line below it."""
        if not self.status:
            return ""
        if self.many:
            return self._several()
        (node,) = self.nodes
        said = [] if node.status == "completed" else [look(node.status).word]
        if node.seconds and node.status != "cached":
            said.append(duration(node.seconds))
        if node.attempt > 1:
            said.append(f"attempt {node.attempt}")
        return shortened(" · ".join(said or [look(node.status).word]), 36)

    @property
    def tooltip(self) -> str:
        """All that is known of it."""
        return "\n".join([self.summary, *self._notes()])

    @cached_property
    def summary(self) -> str:
        """The first line of that."""
        states = [f"{self.counts[each]:,} {look(each).word}" for each in worst(self.counts) if each]
        said = states if self.many else [look(self.status).word] if self.status else []
        seconds = sum(node.seconds for node in self.nodes)
        if seconds:
            said.append(duration(seconds) + (" in all" if self.many else ""))
        if not self.many and self.nodes[0].attempt > 1:
            said.append(f"attempt {self.nodes[0].attempt}")
        head = f"{self.name} × {len(self.nodes):,}" if self.many else self.name
        return f"{head}: {', '.join(said)}" if said else head

    @property
    def width(self) -> int:
        """Pixels."""
        mark = 32 if self.status else 14
        return round(max(mark + cells(self.label) * LETTER, mark + cells(self.line) * SMALL) + 14)

    def _several(self) -> str:
        states = worst(self.counts)
        if len(states) > 1:
            said = [f"{self.counts[status]:,} {look(status).word}" for status in states]
            return " · ".join(said[:2]) + (" · …" if len(said) > 2 else "")
        seconds = sum(node.seconds for node in self.nodes)
        took = f" · {duration(seconds)} in all" if seconds and self.status != "cached" else ""
        return look(self.status).word + took

    def _notes(self) -> list[str]:
        noted = [node for node in self.nodes if node.note]
        if not self.many:
            return [node.note[:500] for node in noted]
        noted.sort(key=lambda node: list(LOOKS).index(node.status) if node.status in LOOKS else 0)
        return [f"{node.id}: {node.note[:200]}" for node in noted[:TOLD]]
