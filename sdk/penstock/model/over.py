"""What is asked of a map over a list known at run time, and of a condition, when they are drawn."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from penstock.errors import BadArguments, BadGraph, TypeMismatch
from penstock.model import plain
from penstock.model.fit import hints_inside, shown, surely_wrong
from penstock.model.graph import Call
from penstock.model.refs import Reference, StoredValue
from penstock.model.signature import UNKNOWN


def check_over(items: Any, who: str, where: str) -> None:
    """Raise `TypeMismatch` if an output is surely no list."""
    if type(items) is not Reference:
        return
    hint = items._hint
    if surely_wrong(hint, list) and surely_wrong(hint, tuple[Any, ...]):
        raise TypeMismatch(
            f"{who} is given output {items._output!r} of step {items._call}, which is "
            f"{shown(hint)} and no list ({where}).",
            hint=f"Return a list from step {items._call}: one call is made for each of its items.",
        )


def items_of(items: Any) -> Any:
    """What stands for one item where the types are checked."""
    if type(items) is not Reference:
        return items
    what = items._draft, items._pipeline, items._call, items._output
    return Reference(*what, item_hint(items._hint), items._where)


def item_hint(hint: Any) -> Any:
    """The type of what is in a list of this type, as far as known."""
    inside = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Annotated:
        return item_hint(inside[0])
    kind = tuple if typing.get_origin(hint) is tuple else list
    found = hints_inside(kind, 1, hint)
    several = kind is tuple and Ellipsis not in inside
    return UNKNOWN if several or not found else found[0]


def check_condition(value: Any, who: str, where: str) -> None:
    """Raise `BadArguments` for what is neither an output of a step nor plain data."""
    if type(value) is Reference:
        return
    try:
        plain.encode(value)
    except plain.NotPlain:
        pass
    else:
        return
    several = _first(value)
    if several is not None:
        what, hint = "outputs of several steps", "Decide in a @step that takes them all."
    elif isinstance(value, StoredValue):
        what, hint = "an artifact", "Load it first: when(artifact.load())."
    else:
        what = f"a {type(value).__qualname__}"
        hint = "Give it an output of a step, or True or False."
    raise BadArguments(f"{who} is given {what} ({where}).", hint=hint)


def _first(value: Any) -> Reference | None:
    """An output of a step in a collection, if there is one."""
    items = value.values() if isinstance(value, dict) else value
    if isinstance(items, list | tuple) or isinstance(value, dict):
        return next((item for item in items if type(item) is Reference), None)
    return None


def check_items(pipeline: str, calls: Mapping[str, Call]) -> None:
    """Raise `BadGraph` if a step has the name that an item of a map will have at run time."""
    maps = {id for id, call in calls.items() if call.over}
    if not maps:
        return
    for id, call in calls.items():
        head, _, number = id.rpartition(".")
        if head in maps and number.isdigit():
            raise BadGraph(
                f"Step {id} of pipeline {pipeline!r} ({call.where}) is named like an item of the "
                f"map {head} ({calls[head].where}).",
                hint="Write with_options(name=…) on one of them.",
            )
