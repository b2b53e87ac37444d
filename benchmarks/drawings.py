"""A child of `pictures.py`: draws a graph of so many steps, or reads such a picture as XML."""

from __future__ import annotations

import json
import random
import sys
from xml.etree import ElementTree as ET

from clock import took

from penstock.pictures.node import Edge, Node
from penstock.pictures.svg import drawn


def main() -> None:
    what, count = sys.argv[1], int(sys.argv[2])
    nodes, edges = tangle(count)
    made = drawn("tangle", nodes, edges) if what == "read" else ""
    work = {"draw": lambda: drawn("tangle", nodes, edges), "read": lambda: ET.fromstring(made)}
    print(json.dumps(took(work[what])))


def tangle(count: int) -> tuple[list[Node], list[Edge]]:
    """Steps that wait for one or two of the thirty before them; the same each time."""
    chance = random.Random(count)
    nodes = [Node(f"step{i}a", "completed", 1.5) for i in range(count)]
    edges = [
        Edge(nodes[chance.randrange(max(0, i - 30), i)].id, nodes[i].id)
        for i in range(1, count)
        for _ in range(chance.choice((1, 1, 2)))
    ]
    return nodes, edges


if __name__ == "__main__":
    main()
