"""Items: a list whose items are stored one by one, so that one that changes is one new object.

Only what a map goes over at run time, or gives, is stored like this. The value of this format is
the group of bindings; whoever loads an artifact gets what these stand for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Composite, Objects
from penstock.artifacts.store import Buffer
from penstock.model import plain
from penstock.model.binding import (
    Binding,
    Given,
    Group,
    Held,
    Literally,
    from_data,
    rebuilt,
    to_data,
)
from penstock.model.over import item_hint
from penstock.model.records import Artifact
from penstock.model.signature import outputs_in

_dump: Final = json.JSONEncoder(separators=(",", ":")).encode

ITEMS: Final = "items/1"
SIGNED: Final = "items-signed/1"
"""The same where an item is a pickle, or refers to a place outside of the store."""


class Items(Composite[Group]):
    """Written by the executor; never chosen for a value of the user's."""

    format: ClassVar[str] = ITEMS
    suffix: ClassVar[str] = ".json"

    def names(self) -> Iterable[object]:
        return ()

    def dump(self, value: Group, objects: Objects) -> Sequence[Buffer]:
        return [written(value)]

    def load(self, data: Buffer, objects: Objects, folder: Callable[[], Path]) -> Group:
        return read(data)


class SignedItems(Items):
    """Loading one of the items could run code, or look somewhere."""

    format: ClassVar[str] = SIGNED
    runs_code: ClassVar[bool] = True
    outside: ClassVar[bool] = True


def written(group: Group) -> bytes:
    """The root: JSON."""
    return _dump(to_data(group)).encode()


def read(data: Buffer) -> Group:
    """What `written` wrote. Raises `CorruptArtifact`."""
    with reading(ITEMS):
        found = from_data(json.loads(bytes(data)))
        if not isinstance(found, Group) or found.kind not in ("list", "tuple"):
            raise ValueError("it is no list")
        for leaf in leaves(found):
            if not isinstance(leaf, Literally | Held):
                raise ValueError(f"{leaf!r} is no item")
        return found


def leaves(binding: Binding) -> Iterator[Binding]:
    """What is in a group, at whatever depth, that is no group itself."""
    if type(binding) is Group:
        for item in binding.items:
            yield from leaves(item)
    else:
        yield binding


def artifacts(binding: Binding) -> Iterator[Artifact]:
    """The stored values in a group."""
    return (leaf.artifact for leaf in leaves(binding) if type(leaf) is Held)


def value(item: Binding, load: Callable[[Held, Any], Any], hint: Any) -> Any:
    """What an item stands for. `load` gives the stored value that has this annotation."""
    if type(item) is Literally:
        return plain.decode(item.text)
    if type(item) is Held:
        return load(item, hint)
    assert type(item) is Group
    outputs = outputs_in(hint)
    hints = [each.hint for each in outputs] if len(outputs) == len(item.items) else None
    values = [
        Given(value(each, load, hints[place] if hints else None))
        for place, each in enumerate(item.items)
    ]
    return rebuilt(Group(item.kind, tuple(values), item.keys), _given, hint)


def values(group: Group, load: Callable[[Held, Any, int], Any], hint: Any) -> Any:
    """The list, or the tuple. `load` is told the place of the item."""
    inside = item_hint(hint)
    found = [
        value(item, lambda held, hint, place=place: load(held, hint, place), inside)  # type: ignore[misc]
        for place, item in enumerate(group.items)
    ]
    return tuple(found) if group.kind == "tuple" else found


def _given(binding: Binding) -> Any:
    assert type(binding) is Given
    return binding.value
