"""The options of one step in a file: each complaint stands where it belongs."""

from __future__ import annotations

from typing import Any

from penstock.stack import steps
from penstock.stack.nodes import Node
from penstock.stack.shape import Shape


def step_section(node: Node, what: str, shape: Shape) -> dict[str, Any]:
    """What a file says of one step, as plain data."""
    options = {
        option: value
        for option, value in shape.mapping(node, what, example="{retries: 2}").items()
        if not value.is_broken
    }
    written = {option: value.plain() for option, value in options.items()}
    for place, text in steps.complaints(written):
        option, *key = place
        found = options[option].value[key[0]] if key else options[option]
        say = shape.at_key if steps.is_unknown(place) else shape.at_value
        say(found, f"{what}: {text}")
    return written
