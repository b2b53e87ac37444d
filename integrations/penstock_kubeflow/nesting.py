"""Nesting: a graph that is too large for one DAG, as DAGs in a DAG.

Kubeflow hands each DAG to its driver as one argument, and Linux takes no longer one than 128 KiB
(`MAX_ARG_STRLEN`, execve(2)). A sub-DAG costs a driver of its own, and whatever needs one of its
tasks waits for all of them; so there are few, parts that have nothing to do with each other are in
different ones or wait for nobody, and the rest is cut where as little as possible waits in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock.errors import CannotRun

LIMIT: Final = 112 * 1024
"""Bytes of the text of one DAG. The rest of the 128 KiB is for what is around it."""

EDGE: Final = 8
"""Bytes around the name of a task in the list of those that another one needs."""


@dataclass(frozen=True, slots=True)
class Node:
    """A task of a DAG, or a DAG of its own."""

    key: str
    upstream: frozenset[str]
    """Keys of other nodes beside it."""
    size: int
    """Bytes of its text, without the list of what it needs."""
    inside: tuple[Node, ...] = field(default=(), compare=False)
    """What is in it, if it is a DAG."""


Make = Callable[[Sequence[Node], frozenset[str]], Node]
"""A DAG of these nodes, with the keys of what it needs besides."""


def nested(nodes: Sequence[Node], make: Make, limit: int) -> Sequence[Node]:
    """The same nodes, in as many levels as it takes for each DAG to be within the limit.

    Raises `CannotRun` where that cannot be.
    """
    nodes = in_order(nodes)
    while weight(nodes) > limit:
        parts = list(_parts(nodes, limit))
        if len(parts) == len(nodes):
            raise _too_large(nodes, limit)
        nodes = _joined(parts, make)
    return nodes


def weight(nodes: Iterable[Node]) -> int:
    """Bytes of the text of a DAG of these nodes."""
    found = {node.key: node for node in nodes}
    return sum(_cost(node, found) for node in found.values())


def _cost(node: Node, beside: Mapping[str, Node] | set[str]) -> int:
    return node.size + sum(len(up) + EDGE for up in node.upstream if up in beside)


def _joined(parts: Sequence[Sequence[Node]], make: Make) -> Sequence[Node]:
    """Each part as one node. A part of one node stays as it is: that saves a driver."""
    inside: dict[str, int] = {node.key: i for i, part in enumerate(parts) for node in part}
    made: dict[int, Node] = {}
    for i in _part_order(parts, inside):
        part = parts[i]
        needs = {inside[up] for node in part for up in node.upstream} - {i}
        upstream = frozenset(made[other].key for other in needs)
        if len(part) == 1:
            made[i] = Node(part[0].key, upstream, part[0].size, part[0].inside)
        else:
            made[i] = make(part, upstream)
    return in_order(list(made.values()))


def _part_order(parts: Sequence[Sequence[Node]], inside: Mapping[str, int]) -> Iterator[int]:
    """Each part after what it needs."""
    as_nodes = [
        Node(
            str(i),
            frozenset(str(inside[up]) for node in part for up in node.upstream) - {str(i)},
            0,
        )
        for i, part in enumerate(parts)
    ]
    return (int(node.key) for node in in_order(as_nodes))


def _parts(nodes: Sequence[Node], limit: int) -> Iterator[Sequence[Node]]:
    """What goes into a DAG each, in which every node comes after what it needs."""
    small: list[Node] = []
    filled = 0
    for part in _separate(nodes):
        size = weight(part)
        if size > limit:
            yield from _cut(part, limit)
            continue
        if filled + size > limit:
            yield small
            small, filled = [], 0
        small += part
        filled += size
    if small:
        yield small


def _cut(nodes: Sequence[Node], limit: int) -> Iterator[Sequence[Node]]:
    """The first levels that fit into one DAG, then the rest, which may have come apart by that."""
    levels = _levels(nodes)
    first: list[Node] = []
    keys: set[str] = set()
    filled = 0
    for level in levels:
        size = sum(_cost(node, keys) for node in level)
        if filled + size > limit:
            break
        first += level
        keys.update(node.key for node in level)
        filled += size
    if first:
        yield first
    else:
        yield from _filled(levels[0], limit)
        keys.update(node.key for node in levels[0])
    if rest := [node for node in nodes if node.key not in keys]:
        yield from _parts(rest, limit)


def _filled(level: Iterable[Node], limit: int) -> Iterator[Sequence[Node]]:
    """Nodes that do not need each other."""
    part: list[Node] = []
    filled = 0
    for node in level:
        if part and filled + node.size > limit:
            yield part
            part, filled = [], 0
        part.append(node)
        filled += node.size
    yield part


def _levels(nodes: Sequence[Node]) -> list[list[Node]]:
    """By the longest way to a node: one of a level needs none of the same."""
    depth: dict[str, int] = {}
    for node in nodes:
        depth[node.key] = max((depth[up] + 1 for up in node.upstream if up in depth), default=0)
    levels: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for node in nodes:
        levels[depth[node.key]].append(node)
    return levels


def _separate(nodes: Sequence[Node]) -> list[list[Node]]:
    """Parts without an edge between them, in the order of the nodes."""
    above: dict[str, str] = {node.key: node.key for node in nodes}

    def top(key: str) -> str:
        while above[key] != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    for node in nodes:
        for up in node.upstream:
            if up in above:
                above[top(up)] = top(node.key)
    found: dict[str, list[Node]] = {}
    for node in nodes:
        found.setdefault(top(node.key), []).append(node)
    return list(found.values())


def in_order(nodes: Sequence[Node]) -> list[Node]:
    """Each after what it needs, otherwise as they were."""
    found = {node.key: node for node in nodes}
    waiting = {node.key: sum(up in found for up in node.upstream) for node in nodes}
    below: dict[str, list[str]] = {}
    for node in nodes:
        for up in sorted(node.upstream):
            below.setdefault(up, []).append(node.key)
    ready = [key for key, count in waiting.items() if not count]
    for key in ready:
        for down in below.get(key, ()):
            waiting[down] -= 1
            if not waiting[down]:
                ready.append(down)
    # All items of a map are drawn at once, so shares of them never need each other.
    assert len(ready) == len(found), "tasks wait for each other in a circle"
    return [found[key] for key in ready]


def _too_large(nodes: Sequence[Node], limit: int) -> CannotRun:
    largest = max(nodes, key=lambda node: (_cost(node, {each.key for each in nodes}), node.key))
    size = _cost(largest, {each.key for each in nodes})
    return CannotRun(
        f"Step {largest.key} takes {size:,} bytes in a pipeline of Kubeflow's, and its driver is "
        f"given at most {limit:,} at a time.",
        hint="Use .map() for what is many times the same: few pods share its items.",
    )
