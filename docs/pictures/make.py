"""Makes the pictures that the pages show: python docs/pictures/make.py

The tests check that they are what the code draws today.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from runpy import run_path

from penstock.pictures.node import Edge, Node
from penstock.pictures.svg import drawn

HERE = Path(__file__).parent


def pictures() -> Mapping[str, str]:
    """SVG by the name of its file."""
    return {"run.svg": _run(), "states.svg": _states(), "artifacts.svg": _artifacts()}


def _run() -> str:
    """A run in which one item of a map has failed."""
    items = [
        Node(f"train.{i}", "failed" if i == 37 else "completed", 12.5, note="the loss is NaN")
        for i in range(100)
    ]
    nodes = [
        Node("load", "cached"),
        Node("split", "cached"),
        *items,
        Node("best", "pending"),
        Node("evaluate", "pending"),
        Node("describe", "completed", 0.42),
        Node("report", "pending"),
        Node("notify", "pending"),
    ]
    edges = [
        Edge("load", "split"),
        *(Edge("split", item.id) for item in items),
        *(Edge(item.id, "best") for item in items),
        Edge("best", "evaluate"),
        Edge("split", "evaluate"),
        Edge("load", "describe"),
        Edge("describe", "report"),
        Edge("evaluate", "report"),
        Edge("report", "notify", silent=True),
    ]
    return drawn("training: 107 steps", nodes, edges)


def _states() -> str:
    """Every state that a step can be in."""
    took = {"completed": 2.3, "failed": 0.2, "stopped": 3.1, "timed_out": 60.0, "lost": 185.0}
    names = ("pending", "running", "completed", "cached", "skipped", *list(took)[1:])
    nodes = [
        Node(f"step_{i}", name, took.get(name, 0.0), 2 if name == "completed" else 1)
        for i, name in enumerate(names, start=1)
    ]
    return drawn("the states of steps", nodes, [])


def _artifacts() -> str:
    """What `make bench-artifacts` measured."""
    bars = json.loads((HERE / "artifacts.json").read_text("utf-8"))["bars"]
    svg: str = run_path(str(HERE / "bars.py"))["drawn"](bars)
    return svg


if __name__ == "__main__":
    for name, svg in pictures().items():
        (HERE / name).write_text(svg, "utf-8")
