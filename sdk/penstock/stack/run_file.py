"""The file for one run: parameters, a stack, the cache, options of steps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from penstock.errors import did_you_mean
from penstock.model import durations
from penstock.model.controls import ANYTHING, Controls
from penstock.stack import parsing
from penstock.stack.complaints import At, Complaints
from penstock.stack.nodes import BROKEN, Node, parse
from penstock.stack.shape import Shape, found_in
from penstock.stack.step_section import step_section

KEYS: Final = ("parameters", "stack", "cache", "cache_for", "refresh", "steps")


@dataclass(frozen=True, slots=True)
class RunFile:
    """What the file says. What its parameters mean, only the pipeline's annotations can tell."""

    parameters: Mapping[str, Node] = field(default_factory=dict)
    stack: str | None = None
    stack_at: At = (1, 1)
    controls: Controls = ANYTHING
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options by a step's name or id, as plain data."""
    steps_at: Mapping[str, At] = field(default_factory=dict)


def read(path: Path, complaints: Complaints) -> RunFile:
    """What the file says, as far as it makes sense; the rest becomes complaints."""
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = getattr(error, "strerror", None) or error
        near = did_you_mean(path.name, _neighbours(path.parent))
        complaints.add((1, 1), f"This file cannot be read: {reason}.", near)
        return RunFile()
    root = parse(parsing.content(path, status, complaints), complaints)
    return _run_file(root, Shape(complaints)) if root else RunFile()


def _run_file(root: Node, shape: Shape) -> RunFile:
    top = shape.mapping(root, "This file", KEYS, "{parameters: {…: …}}")
    stack, steps = top.get("stack"), shape.named(top.get("steps"), "steps")
    return RunFile(
        shape.mapping(top.get("parameters"), "parameters"),
        shape.name(stack, "stack") if stack and stack.value is not None else None,
        stack.at if stack else (1, 1),
        Controls(
            _switch("cache", top, shape) is not False,
            _switch("refresh", top, shape) is True,
            _span(top.get("cache_for"), shape),
        ),
        {name: step_section(node, f"Step {name!r}", shape) for name, node in steps.items()},
        {name: node.key_at for name, node in steps.items()},
    )


def _switch(option: str, top: Mapping[str, Node], shape: Shape) -> bool | None:
    node = top.get(option)
    if node is None or node.value in (None, BROKEN):
        return None
    if not isinstance(node.value, bool):
        shape.at_value(node, f"{option} must be true or false; this is {found_in(node)}.")
        return None
    return node.value


def _span(node: Node | None, shape: Shape) -> float | None:
    if node is None or node.value in (None, BROKEN):
        return None
    found = durations.seconds(node.value)
    if found is None:
        shape.at_value(node, f"cache_for: {durations.SPANS}; this is {found_in(node)}.")
    return found


def _neighbours(folder: Path) -> list[str]:
    try:
        return sorted(item.name for item in folder.iterdir() if item.suffix in (".yaml", ".yml"))
    except OSError:
        return []
