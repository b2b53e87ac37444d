"""What notebooks show: blocks of HTML. A notebook asks for them whenever a value is the last thing
in a cell, so nothing here ever raises."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from penstock.pictures import markup
from penstock.pictures.markup import Markup
from penstock.pictures.node import Edge, Node
from penstock.pictures.svg import drawn

_log: Final = logging.getLogger("penstock.pictures")


def shown(parts: Callable[[], Iterable[Markup]]) -> str | None:
    """A block, or nothing if it cannot be made: then the notebook shows the value's text."""
    try:
        made = list(parts())
    except (Exception, SystemExit) as error:  # of the store, or of the user's own pipeline
        _log.debug("A picture was not made: %s", error, exc_info=True)
        return None
    return markup.sheet() + markup.block(made)


def graph(name: str, steps: Iterable[str], edges: Iterable[tuple[str, str, str]]) -> str | None:
    """The steps of a pipeline; edges are from, to and the name of what is handed on."""
    ids = list(steps)
    return shown(lambda: [markup.title(counted(name, ids)), *picture(name, ids, edges)])


def picture(
    name: str, steps: Sequence[str], edges: Iterable[tuple[str, str, str]]
) -> Iterable[Markup]:
    """The picture alone."""
    yield markup.scrolled(of_steps(name, steps, edges))


def of_steps(name: str, steps: Iterable[str], edges: Iterable[tuple[str, str, str]]) -> str:
    """SVG of steps that have not been run."""
    nodes = [Node(step) for step in steps]
    return drawn(counted(name, nodes), nodes, (Edge(up, down, not of) for up, down, of in edges))


def counted(name: str, steps: Sequence[object]) -> str:
    """`training: 3 steps`."""
    return f"{name}: {len(steps):,} {'step' if len(steps) == 1 else 'steps'}"
